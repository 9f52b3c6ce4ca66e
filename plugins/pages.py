"""Renders the page and the JUnit file of a run whose answer could not wait for them.

``python -m greenroom.plugins.pages FOLDER`` reads the record in the folder and writes them there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from greenroom.plugins.documents import Documents

if __name__ == "__main__":
    Documents(Path(sys.argv[1])).add_pages()
