"""How Asterisk is told what to play."""

from dataclasses import dataclass
from pathlib import Path

from vm_ari.speech.parts import Clip


@dataclass(frozen=True)
class SoundFiles:
    """Clips below one directory, or anywhere."""

    directory: Path

    def media(self, clip: Clip) -> str:
        """Its media URI, without the suffix: Asterisk takes the file that fits best."""
        return f"sound:{self._path(clip)}"

    def offset_ms(self, clip: Clip, seconds: float) -> int:
        """Asterisk takes 8 samples for a millisecond, also where the file has 16."""
        path = self._path(clip)
        narrow = path.with_name(f"{path.name}.wav").exists()
        return round(seconds * (1000 if narrow else 2000))

    def _path(self, clip: Clip) -> Path:
        return Path(clip.name) if clip.absolute else self.directory / clip.name
