"""Classes of nodes and pods in Alibaba's GPU cluster trace "openb", with their frequencies.

Counted in `openb_node_list_gpu_node.csv`, `openb_pod_list_default.csv` and
`openb_pod_list_gpuspec33.csv` of the cluster-trace-gpu-v2023 data set
(https://github.com/alibaba/clusterdata).

References
----------
Q. Weng, L. Yang, Y. Yu, W. Wang, X. Tang, G. Yang, L. Zhang (2023). Beware of Fragmentation:
Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent. USENIX ATC 2023.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MODEL_LISTS", "NODE_CLASSES", "POD_CLASSES", "NodeClass", "PodClass"]


class NodeClass(NamedTuple):
    """Identical nodes: how many, and the GPUs, CPU (1/1000 core) and memory (MiB) of each."""

    copies: int
    model: str
    gpu: int
    cpu_milli: int
    memory_mib: int


class PodClass(NamedTuple):
    """Identical pods: how many, and the GPUs, share of each GPU, CPU and memory of each."""

    copies: int
    num_gpu: int
    gpu_milli: int
    cpu_milli: int
    memory_mib: int


# The 15 classes of the 1,213 nodes that have GPUs.
NODE_CLASSES = (
    NodeClass(549, "G2", 8, 96000, 393216),
    NodeClass(387, "T4", 2, 104000, 524288),
    NodeClass(107, "P100", 2, 16000, 122880),
    NodeClass(39, "G3", 8, 128000, 786432),
    NodeClass(28, "V100M16", 4, 32000, 131072),
    NodeClass(22, "P100", 2, 64000, 262144),
    NodeClass(21, "V100M32", 8, 96000, 786432),
    NodeClass(19, "V100M16", 1, 8000, 32768),
    NodeClass(17, "T4", 4, 96000, 393216),
    NodeClass(9, "V100M32", 4, 48000, 376832),
    NodeClass(7, "V100M16", 8, 64000, 262144),
    NodeClass(3, "P100", 1, 8000, 61440),
    NodeClass(2, "A10", 1, 128000, 1048576),
    NodeClass(2, "P100", 2, 8000, 61440),
    NodeClass(1, "V100M16", 8, 82000, 344064),
)

# The 151 classes of the 8,152 pods.
POD_CLASSES = (
    PodClass(1047, 1, 810, 3152, 5600),
    PodClass(857, 1, 1000, 11300, 49152),
    PodClass(534, 1, 1000, 11400, 48128),
    PodClass(470, 1, 1000, 3152, 5600),
    PodClass(388, 1, 470, 11908, 47104),
    PodClass(364, 0, 0, 12500, 57344),
    PodClass(360, 1, 470, 8000, 30517),
    PodClass(284, 0, 0, 32000, 49152),
    PodClass(255, 1, 1000, 18708, 64512),
    PodClass(237, 1, 650, 11908, 47104),
    PodClass(195, 1, 1000, 9810, 41560),
    PodClass(163, 0, 0, 8000, 30517),
    PodClass(158, 1, 1000, 12000, 24576),
    PodClass(158, 1, 1000, 15700, 58368),
    PodClass(153, 1, 1000, 11908, 47104),
    PodClass(120, 0, 0, 15400, 51200),
    PodClass(111, 1, 320, 4000, 22888),
    PodClass(108, 1, 1000, 16000, 32768),
    PodClass(104, 1, 1000, 4000, 24576),
    PodClass(104, 1, 1000, 8000, 16384),
    PodClass(99, 1, 1000, 12000, 16384),
    PodClass(95, 0, 0, 16500, 51200),
    PodClass(93, 1, 1000, 14200, 58368),
    PodClass(84, 1, 230, 4000, 30517),
    PodClass(84, 1, 1000, 24200, 93184),
    PodClass(78, 1, 320, 4000, 15258),
    PodClass(75, 1, 590, 3152, 5600),
    PodClass(72, 1, 320, 8000, 30517),
    PodClass(72, 1, 550, 4152, 10600),
    PodClass(65, 1, 1000, 11400, 77824),
    PodClass(55, 1, 1000, 8000, 32768),
    PodClass(53, 1, 160, 4000, 15258),
    PodClass(51, 1, 460, 6000, 6144),
    PodClass(51, 1, 1000, 11900, 77824),
    PodClass(45, 1, 370, 4152, 10600),
    PodClass(44, 1, 1000, 12000, 15360),
    PodClass(43, 1, 320, 4000, 30517),
    PodClass(41, 1, 1000, 8200, 33792),
    PodClass(40, 1, 1000, 4000, 31250),
    PodClass(36, 1, 1000, 15200, 80896),
    PodClass(33, 1, 1000, 16000, 65536),
    PodClass(31, 1, 810, 4152, 10600),
    PodClass(29, 1, 460, 6000, 12288),
    PodClass(27, 1, 1000, 16400, 125952),
    PodClass(26, 1, 230, 4000, 22888),
    PodClass(24, 1, 220, 4000, 15258),
    PodClass(22, 1, 320, 1000, 2048),
    PodClass(20, 1, 160, 6000, 22888),
    PodClass(19, 1, 220, 8000, 30517),
    PodClass(18, 1, 230, 8000, 30517),
    PodClass(18, 1, 460, 6000, 18432),
    PodClass(18, 1, 480, 4000, 22888),
    PodClass(18, 8, 1000, 64200, 263168),
    PodClass(18, 8, 1000, 88000, 327680),
    PodClass(16, 1, 1000, 11300, 37888),
    PodClass(15, 1, 1000, 1000, 6144),
    PodClass(12, 1, 230, 4000, 15258),
    PodClass(12, 1, 650, 8000, 30517),
    PodClass(11, 0, 0, 8000, 15625),
    PodClass(11, 0, 0, 11400, 57344),
    PodClass(11, 1, 220, 4000, 22888),
    PodClass(11, 1, 1000, 7000, 30000),
    PodClass(9, 1, 110, 4000, 22888),
    PodClass(9, 1, 460, 6000, 8192),
    PodClass(9, 1, 1000, 15400, 90112),
    PodClass(9, 4, 1000, 32200, 132096),
    PodClass(8, 0, 0, 16000, 31250),
    PodClass(8, 1, 110, 4000, 15258),
    PodClass(8, 1, 220, 4000, 30517),
    PodClass(8, 1, 1000, 4000, 16384),
    PodClass(8, 1, 1000, 12000, 32768),
    PodClass(8, 1, 1000, 12000, 47104),
    PodClass(8, 1, 1000, 14900, 73728),
    PodClass(7, 1, 330, 4000, 22888),
    PodClass(7, 1, 460, 6000, 16384),
    PodClass(7, 2, 1000, 16200, 66560),
    PodClass(6, 1, 350, 4000, 22888),
    PodClass(6, 1, 460, 6000, 23552),
    PodClass(6, 1, 460, 12000, 18432),
    PodClass(6, 1, 1000, 6000, 32768),
    PodClass(6, 1, 1000, 9400, 52224),
    PodClass(5, 0, 0, 8000, 31250),
    PodClass(5, 1, 1000, 2000, 16384),
    PodClass(5, 1, 1000, 4000, 32768),
    PodClass(4, 0, 0, 12000, 24576),
    PodClass(4, 1, 50, 6000, 22888),
    PodClass(4, 1, 110, 6000, 22888),
    PodClass(4, 1, 270, 4152, 10600),
    PodClass(4, 1, 1000, 11900, 43008),
    PodClass(4, 1, 1000, 12000, 49152),
    PodClass(3, 0, 0, 32000, 62500),
    PodClass(3, 1, 50, 4000, 15258),
    PodClass(3, 1, 1000, 2000, 8192),
    PodClass(3, 1, 1000, 16000, 31250),
    PodClass(3, 1, 1000, 16000, 49152),
    PodClass(3, 2, 1000, 6000, 65536),
    PodClass(3, 2, 1000, 30200, 160768),
    PodClass(3, 4, 1000, 32000, 131072),
    PodClass(3, 4, 1000, 60200, 320512),
    PodClass(3, 8, 1000, 64000, 262144),
    PodClass(3, 8, 1000, 120000, 737280),
    PodClass(2, 0, 0, 8000, 8192),
    PodClass(2, 0, 0, 8000, 16384),
    PodClass(2, 0, 0, 12500, 65536),
    PodClass(2, 0, 0, 16000, 32768),
    PodClass(2, 0, 0, 20000, 65536),
    PodClass(2, 0, 0, 32000, 32768),
    PodClass(2, 1, 110, 8000, 30517),
    PodClass(2, 1, 320, 6000, 30517),
    PodClass(2, 1, 370, 2000, 8192),
    PodClass(2, 1, 440, 8000, 30517),
    PodClass(2, 1, 460, 8000, 16000),
    PodClass(2, 1, 470, 4000, 15258),
    PodClass(2, 1, 650, 1000, 2048),
    PodClass(2, 1, 650, 4000, 15258),
    PodClass(2, 1, 1000, 8000, 65536),
    PodClass(2, 1, 1000, 12000, 16000),
    PodClass(2, 1, 1000, 12000, 23552),
    PodClass(2, 1, 1000, 16000, 16384),
    PodClass(2, 1, 1000, 16400, 84992),
    PodClass(2, 2, 1000, 17400, 43008),
    PodClass(2, 8, 1000, 120200, 640000),
    PodClass(1, 0, 0, 8000, 61035),
    PodClass(1, 0, 0, 8000, 62500),
    PodClass(1, 0, 0, 10000, 48828),
    PodClass(1, 0, 0, 16000, 15625),
    PodClass(1, 0, 0, 16000, 16384),
    PodClass(1, 0, 0, 16000, 62500),
    PodClass(1, 0, 0, 16000, 65536),
    PodClass(1, 0, 0, 32000, 65536),
    PodClass(1, 1, 110, 4000, 30517),
    PodClass(1, 1, 140, 1000, 2048),
    PodClass(1, 1, 160, 4000, 22888),
    PodClass(1, 1, 290, 1000, 2048),
    PodClass(1, 1, 480, 8000, 30517),
    PodClass(1, 1, 1000, 4000, 4096),
    PodClass(1, 1, 1000, 4000, 8192),
    PodClass(1, 1, 1000, 5000, 10240),
    PodClass(1, 1, 1000, 6000, 8192),
    PodClass(1, 1, 1000, 6000, 16384),
    PodClass(1, 1, 1000, 8000, 8192),
    PodClass(1, 1, 1000, 8000, 15625),
    PodClass(1, 1, 1000, 8000, 24576),
    PodClass(1, 1, 1000, 8710, 41560),
    PodClass(1, 1, 1000, 11300, 23552),
    PodClass(1, 1, 1000, 11800, 78848),
    PodClass(1, 1, 1000, 12000, 12288),
    PodClass(1, 1, 1000, 14000, 0),
    PodClass(1, 1, 1000, 15900, 90112),
    PodClass(1, 1, 1000, 16000, 24576),
    PodClass(1, 2, 1000, 14000, 60000),
)

# The GPU models that a third of the GPU pods name in the gpuspec33 list, with the count of pods.
MODEL_LISTS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1291, ("T4",)),
    (331, ("G2",)),
    (279, ("P100",)),
    (163, ("V100M16", "V100M32")),
    (103, ("P100", "V100M16", "V100M32")),
    (86, ("G3",)),
    (39, ("G2", "P100", "T4", "V100M16", "V100M32")),
    (33, ("P100", "T4", "V100M16", "V100M32")),
    (24, ("A10", "G2", "T4", "V100M16", "V100M32")),
    (20, ("V100M32",)),
    (6, ("A10", "T4")),
    (4, ("P100", "V100M16")),
    (3, ("A10", "G2", "P100", "T4", "V100M16", "V100M32")),
    (3, ("T4", "V100M16", "V100M32")),
    (3, ("V100M16",)),
)
