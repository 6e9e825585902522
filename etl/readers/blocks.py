"""Blocks of raw bytes that end where a line ends, and where the lines of a block start.

A line ends at LF, CR LF or a lone CR, whatever the file mixes. Every encoding we read keeps these code units to
themselves: no other character contains them. `unit` is the numpy name of a code unit: u1, <u2 or >u2 (UTF-16).
"""

from __future__ import annotations

import hashlib
from threading import Thread
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from schemas.errors import SourceUnreadable

Positions = npt.NDArray[np.int64]
LF, CR = 10, 13
LONGEST_LINE = 1 << 26  # 64 MiB in one line: not a table
LARGE = 1 << 20  # bytes that are worth a thread


def line_starts(data: bytes, unit: str = "u1") -> Positions:
    """Return the byte offset of every line, then the length of the data (less a trailing half unit)."""
    size = np.dtype(unit).itemsize
    units = np.frombuffer(data, unit, count=len(data) // size)
    ends = np.flatnonzero(units == LF)
    if CR in units:
        returns = np.flatnonzero(units[:-1] == CR)
        lone = returns[units[returns + 1] != LF]
        last = [len(units) - 1] if units[-1] == CR else []
        ends = np.sort(np.concatenate([ends, lone, last]).astype(np.int64))
    starts = np.concatenate([[0], ends + 1])
    if starts[-1] < len(units) or len(units) * size < len(data):
        starts = np.append(starts, len(units))
    result: Positions = starts * size
    result[-1] = len(data)
    return result


def line_cut(data: bytes, end: int, unit: str = "u1") -> int:
    """Return the length of the longest part of data[:end] that ends with a whole line; 0 if there is none.

    A CR at the very end does not count: the LF of a CR LF may follow.
    """
    end = min(end, len(data))
    if unit == "u1":
        cut = data.rfind(b"\n", 0, end) + 1
        return max(cut, data.rfind(b"\r", cut, max(end - 1, cut)) + 1)
    units = np.frombuffer(data, unit, count=end // 2)
    ends = np.flatnonzero((units == LF) | (np.append(units[:-1], 0) == CR))
    return 2 * (int(ends[-1]) + 1) if len(ends) else 0


class LineStream:
    """The bytes of a source, in blocks of whole lines, with a window to look ahead.

    `size` bounds what is read (None: to the end); `first` is the size of the first block, if it is another.
    Everything read goes through the digest.
    """

    def __init__(
        self, stream: BinaryIO, name: str, block_size: int, size: int | None = None, first: int | None = None
    ) -> None:
        self.position = 0
        self.unit = "u1"
        self._digest = hashlib.sha256()
        self._hashing: Thread | None = None
        self._stream, self._name, self._left = stream, name, size
        self._block_size, self._wanted = block_size, first or block_size
        self._parts: list[bytes] = [
            b""
        ]  # what is not consumed; joined late, since it is most of the file in turn
        self._held = 0  # bytes in the parts
        self._at_end = False

    @property
    def sha256(self) -> str:
        """The digest of all that was read."""
        self._hash(b"")
        return self._digest.hexdigest()

    def _hash(self, data: bytes) -> None:
        """Hash beside the caller's work, one read after the other."""
        if self._hashing is not None:
            self._hashing.join()
            self._hashing = None
        if len(data) < LARGE:
            self._digest.update(data)
            return
        self._hashing = Thread(target=self._digest.update, args=(data,))
        self._hashing.start()

    def window(self, start: int, size: int) -> bytes:
        """Look at whole lines from an offset in the next block on, about `size` bytes of them."""
        self._fill(start + size)
        ahead = self._joined()[start : start + size]
        cut = len(ahead) if self._is_last(start + size) else line_cut(ahead, size, self.unit)
        return ahead[:cut] or ahead

    def block(self) -> tuple[bytes, bool]:
        """Return the next lines, without consuming them, and whether they are the last."""
        while True:
            self._fill(self._wanted)
            if self._is_last(self._wanted):
                return self._joined(), True
            if self._cut():
                return self._parts[0], False
            self.grow()

    def consume(self, size: int) -> None:
        """Go on behind `size` bytes of the block."""
        block, *behind = self._parts
        self._parts = [block[size:], *behind]
        self._held -= size
        self.position += size
        self._wanted = self._block_size

    def grow(self) -> None:
        """Ask for twice as much: the block does not hold one whole record."""
        if self._wanted > LONGEST_LINE:
            why = f"From byte {self.position} on there is no line end in {LONGEST_LINE >> 20} MiB."
            raise SourceUnreadable(
                f"{self._name} is not a table in lines.", why, "check how the file was exported"
            )
        self._wanted *= 2

    def _is_last(self, size: int) -> bool:
        return self._at_end and self._held <= size

    def _fill(self, size: int) -> None:
        missing = size + 1 - self._held  # one more, to know whether this is the end
        while missing > 0 and not self._at_end:
            data = self._stream.read(missing if self._left is None else min(missing, self._left))
            self._at_end = not data
            self._hash(data)
            self._parts.append(data)
            self._held += len(data)
            missing -= len(data)
            if self._left is not None:
                self._left -= len(data)

    def _cut(self) -> bool:
        """Make the first part the whole lines of the next block; tell whether there are any."""
        *before, last = self._parts
        known = self._held - len(last)
        # The last line end mostly lies in what was read last: a block is copied once, not joined and then cut.
        cut = line_cut(last, self._wanted - known) if self.unit == "u1" and before else 0
        if not cut:
            before, last = [], self._joined()
            cut = line_cut(last, self._wanted, self.unit)
        if cut:
            self._parts = [b"".join([*before, memoryview(last)[:cut]]), last[cut:]]
        return cut > 0

    def _joined(self) -> bytes:
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0]
