#!/usr/bin/env python
"""Open all pages of the site in Chromium at two widths; fail where an element is wider than its column."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
WIDTHS = (1400, 400)
LONGEST_CODE = 100  # a longer line of code may scroll
LIMIT = 300  # seconds for all pages
FLAGS = (
    *('--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'),
    *('--disable-background-networking', '--disable-component-update', '--window-size=1500,1000', '--remote-debugging-port=0'),
)
DRIVER = Path(__file__).with_name('check_pages.html')


def browser() -> str | None:
    """The path of Chromium, or None."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


class Handler(SimpleHTTPRequestHandler):
    """Serves the site and the page that measures, and takes what that page found.

    Args:
        found: Filled with the results.
        done: Set when they are complete.
        pages: Pages to open, relative to the site.
    """

    def __init__(
        self, *args: Any, found: list[dict[str, Any]], done: threading.Event, pages: Sequence[str], **kwargs: Any
    ) -> None:
        self.found, self.done, self.pages = found, done, pages
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if self.path != '/check':
            return super().do_GET()
        settings = json.dumps({'pages': self.pages, 'widths': WIDTHS, 'longest': LONGEST_CODE})
        text = DRIVER.read_text(encoding='utf-8').replace('SETTINGS', settings).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(text)
        return None

    def do_POST(self) -> None:
        self.found += json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(204)
        self.end_headers()
        self.done.set()

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


def too_wide(site: Path, chromium: str) -> list[dict[str, Any]]:
    """Elements that are wider than their columns.

    Args:
        site: Folder of the built site.
        chromium: Path of the browser.

    Returns:
        ``page``, ``width`` of the window, ``element``, and ``has`` and ``needs`` in pixels.

    Raises:
        RuntimeError: If the browser does not finish.
    """
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob('*.html') if '_modules' not in path.parts)
    found: list[dict[str, Any]] = []
    done = threading.Event()
    handler = partial(Handler, directory=str(site), found=found, done=done, pages=pages)
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}/check'
        command = [chromium, *FLAGS, f'--user-data-dir={profile}']
        with subprocess.Popen([*command, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            finished = done.wait(LIMIT)
            process.terminate()
        server.shutdown()
    if not finished:
        raise RuntimeError(f'{chromium} did not finish {len(pages)} pages within {LIMIT} s')
    print(f'{len(pages)} pages at {" and ".join(map(str, WIDTHS))} px')
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('site', nargs='?', type=Path, default=Path('build/docs'), help='built site (default: build/docs)')
    args = parser.parse_args(argv)
    if not (args.site / 'index.html').is_file():
        parser.error(f'{args.site} has no index.html; build the site with make docs')
    chromium = browser()
    if chromium is None:
        parser.error('chromium is not installed; on Debian or Ubuntu: apt-get install chromium')
    found = too_wide(args.site, chromium)
    for one in found:
        print('{page} at {width} px: {element} needs {needs} of {has} px'.format(**one))
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main())
