"""What the terminal shows of an association."""

from __future__ import annotations

from etl.association import Association
from etl.terminal import table

_SAME = {True: "yes", False: "no", None: ""}


def summarise(found: Association) -> str:
    """Return the estimates beside the published figures, what is incoherent in those, and where the rest is."""
    beside = [(b.label, b.published, b.ours, b.n, _SAME[b.is_same]) for b in found.report.beside]
    incoherent = [f for f in found.report.findings if f.verdict == "inconsistent"]
    provenance = found.report.provenance
    parts = [
        *([f"WATERMARK  {found.watermark}"] if found.watermark else []),
        table(("figure", "published", "ours", "n", "prints the same"), beside),
        *([_incoherent([f"{f.figure}: {f.sentence}" for f in incoherent])] if incoherent else []),
        f"Data: {provenance['data']}; content digest {provenance['content_digest']}",
        "\n".join(f"wrote  {path}" for path in found.files),
    ]
    return "\n\n".join(parts)


def _incoherent(sentences: list[str]) -> str:
    return "\n".join(["Published figures that cannot be right as printed:", *(f"  {s}" for s in sentences)])
