"""One matrix from the encoders' blocks: sparse with 32-bit indices where a block is wide, else dense.

Never row by row: a block of codes is already the column index of its one entry in each row.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: What encoders make and models take: dense 32-bit floats, or a sparse matrix in rows.
Matrix: TypeAlias = "np.ndarray | csr_matrix"


class Codes:
    """A one-hot block before it is a matrix: which of `width` columns is 1 in each row (-1: none)."""

    def __init__(self, codes: np.ndarray, width: int) -> None:
        self.codes, self.width = codes, width


#: One block of a matrix, and what one encoder makes of a frame: several blocks are a list of codes.
Part: TypeAlias = "Matrix | Codes"
Block: TypeAlias = "Matrix | list[Codes]"

#: One-hot blocks wider than this together, or any text block, make the matrix sparse.
WIDE = 256


def assemble(blocks: Sequence[Block]) -> Matrix:
    """Blocks side by side in their order: 64-bit values if sparse, 32-bit if dense."""
    flat: list[Part] = []
    for block in blocks:
        flat += block if isinstance(block, list) else [block]
    text = [part for part in flat if not isinstance(part, Codes | np.ndarray)]
    wide = sum(part.width for part in flat if isinstance(part, Codes))
    if text and (wide > WIDE or sum(part.shape[1] for part in text) > WIDE):
        return _stacked(flat)
    if wide > WIDE:
        return _sparse(flat)
    return _dense(flat)


def below(pieces: Iterable[Matrix], rows: int) -> Matrix:
    """Pieces of one matrix of so many rows, one below the other."""
    out, end = None, 0
    for piece in pieces:
        if not isinstance(piece, np.ndarray):
            from scipy import sparse

            return sparse.vstack([piece, *pieces], format="csr")
        out = np.empty((rows, piece.shape[1]), dtype=piece.dtype) if out is None else out
        out[end : end + len(piece)] = piece
        end += len(piece)
    return out


def _width(part: Part) -> int:
    return part.width if isinstance(part, Codes) else part.shape[1]


def _rows(part: Part) -> int:
    return len(part.codes) if isinstance(part, Codes) else part.shape[0]


def _dense(parts: list[Part]) -> np.ndarray:
    out = np.zeros((_rows(parts[0]), sum(map(_width, parts))), dtype=np.float32)
    start = 0
    for part in parts:
        end = start + _width(part)
        if isinstance(part, Codes):
            seen = np.flatnonzero(part.codes >= 0)
            out[seen, start + part.codes[seen]] = 1.0
        else:
            out[:, start:end] = part if isinstance(part, np.ndarray) else part.toarray()
        start = end
    return out


def _sparse(parts: list[Part]) -> "csr_matrix":
    """A CSR matrix in which every row has the same number of entries, but for unseen categories."""
    from scipy import sparse

    n = _rows(parts[0])
    entries = sum(1 if isinstance(part, Codes) else part.shape[1] for part in parts)
    indices, data = np.empty((n, entries), dtype=np.int32), np.ones((n, entries))
    start = slot = 0
    for part in parts:
        if isinstance(part, Codes):
            indices[:, slot] = np.where(part.codes < 0, -1, part.codes + start)
            slot += 1
        else:
            width = part.shape[1]
            indices[:, slot : slot + width] = np.arange(start, start + width, dtype=np.int32)
            data[:, slot : slot + width] = part
            slot += width
        start += _width(part)
    kept = indices >= 0
    if kept.all():
        bounds = np.arange(0, (n + 1) * entries, entries, dtype=np.int32)
        return sparse.csr_matrix((data.ravel(), indices.ravel(), bounds), shape=(n, start), copy=False)
    bounds = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
    return sparse.csr_matrix((data[kept], indices[kept], bounds), shape=(n, start), copy=False)


def _stacked(parts: list[Part]) -> "csr_matrix":
    """The general case: blocks of any kind, joined by scipy."""
    from scipy import sparse

    blocks = [_sparse([p]) if isinstance(p, Codes) else sparse.csr_matrix(p) for p in parts]
    return sparse.hstack(blocks, format="csr")
