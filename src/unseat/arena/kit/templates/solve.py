"""Write answers.json: what the task's own first incumbent answers on the track's instances. ``python solve.py``."""

import sys
from pathlib import Path

from unseat.arena.local import solve

sys.exit(solve(Path(__file__).parent, Path(__file__).parent.parent / "track.json"))
