"""The example task is imported as a stranger's would be: from the folder in which it lies."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
