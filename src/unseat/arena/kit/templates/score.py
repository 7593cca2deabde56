"""Score a submission as the arena does, on instances that everybody has: ``python score.py [FOLDER]``."""

import sys
from pathlib import Path

from unseat.arena.local import main

sys.exit(main(Path(__file__).parent, sys.argv[1:]))
