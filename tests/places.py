"""Where things lie: this checkout, and the given material beside it, which may be absent."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED_DIR = ROOT.parent / "shared"
