"""What is hidden in an instance: amounts cut into tasks, and tasks planted on nodes."""
