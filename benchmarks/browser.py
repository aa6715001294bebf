"""Opens a report in headless Chromium and says what is wrong with it.

python -m benchmarks.browser results/smoke/report.html
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["missing", "problems"]

_WIDTHS = (1280, 390)
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_FIGURES = """
return Array.from(document.querySelectorAll("figure img")).map(image => {
  const box = image.getBoundingClientRect();
  return {name: image.alt, width: box.width, height: box.height,
          drawn: image.complete && image.naturalWidth > 0};
});
"""
_REQUESTS = 'return performance.getEntriesByType("resource").map(entry => entry.name);'
_OVERFLOW = "return document.documentElement.scrollWidth - window.innerWidth;"
_BROKEN_LINKS = """
return Array.from(document.querySelectorAll('a[href^="#"]'))
  .map(link => link.getAttribute("href").slice(1))
  .filter(name => !document.getElementById(name));
"""


def missing() -> str | None:
    """Why no browser can be started, None if one can."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed: pip install -e '.[dev]'"
    for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)):
        if _found(names) is None:
            return f"no {names[0]} on the path"
    return None


def problems(page: Path) -> list[str]:
    """What a reader without a network would meet: errors, missing figures, a page too wide.

    Parameters
    ----------
    page : Path
        An HTML file.
    """
    found = []
    with _browser() as driver:
        for width in _WIDTHS:
            driver.set_window_size(width, 900)
            _narrowed(driver, width)
            driver.get(page.resolve().as_uri())
            found += [f"console: {entry['message']}" for entry in driver.get_log("browser")]
            found += [
                f"{width} px: requests {name}"
                for name in driver.execute_script(_REQUESTS)
                if not name.startswith("data:")
            ]
            found += _figure_problems(driver, width)
            over = driver.execute_script(_OVERFLOW)
            if over > 0:
                found.append(f"{width} px: the page is {over} px wider than the window")
        broken = driver.execute_script(_BROKEN_LINKS)
        found += [f"a link to #{name}, which is not there" for name in broken]
    return found


def _figure_problems(driver: Any, width: int) -> Iterator[str]:
    figures = driver.execute_script(_FIGURES)
    if not figures:
        yield f"{width} px: no figure on the page"
    for figure in figures:
        if not figure["drawn"] or figure["width"] < 200 or figure["height"] < 100:
            yield f"{width} px: the figure {figure['name']!r} is not visible"


def _narrowed(driver: Any, width: int) -> None:
    """Windows have a least width of their own; the device has none."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@contextmanager
def _browser() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(_found(("chromium", "chromium-browser", "google-chrome")))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        service = webdriver.ChromeService(str(_found(("chromedriver",))))
        driver = webdriver.Chrome(options=options, service=service)
        try:
            yield driver
        finally:
            driver.quit()


def _found(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def main() -> int:
    """Print the problems of a page; 0 if there are none."""
    reason = missing()
    if reason is not None:
        print(reason, file=sys.stderr)
        return 2
    found = problems(Path(sys.argv[1]))
    for text in found:
        print(text)
    print(f"{sys.argv[1]}: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
