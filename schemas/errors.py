"""Errors that a user can mend. Anything else that is raised is a bug.

UserError
|- GateClosed               1  findings are open that have to be settled before an analysis
|- UsageError               2  wrong option, argument or query
|- DefinitionError          2  a mapping, registry file or study file is wrong
|- DeclarationNeeded        2  evidence does not settle a column; a declaration does
|- SourceUnreadable         3  a source file cannot be read at all
|  `- FormatUnknown         3  nothing tells what kind of file it is
|- WarehouseError           4
|  |- WarehouseLocked       4  another process writes to it
|  |- WarehouseMissing      4  no warehouse at that path
|  |- WarehouseDamaged      4  not a warehouse of ours, or its key is another one
|  `- WarehouseFull         4  the disk or the quota is full
|- ReconciliationError      5  an identity does not hold; nothing was loaded
`- EngineUnavailable        6  an optional engine or package is not installed

A message has three parts: what and where (file, row, column, never a cell), why we think so, what to type.
The class decides the exit code.
"""

from __future__ import annotations


class UserError(Exception):
    """Stop with a three-part message that a data manager can act on."""

    exit_code = 2

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def message(self) -> str:
        """Return the message as printed on a terminal."""
        parts = [f"Error: {self.what}"]
        if self.why:
            parts.append(f"  {self.why}")
        if self.fix:
            parts.append(f"  Try: {self.fix}")
        return "\n".join(parts)


class GateClosed(UserError):
    """Report that findings are open which have to be settled before an analysis."""

    exit_code = 1


class UsageError(UserError):
    """Report a wrong option, argument or query."""


class DefinitionError(UserError):
    """Report a wrong mapping, registry file or study file, with its line."""


class DeclarationNeeded(UserError):
    """Report that evidence does not settle a column and print the line that does."""


class SourceUnreadable(UserError):
    """Report a source file that cannot be read at all."""

    exit_code = 3


class FormatUnknown(SourceUnreadable):
    """Report a file whose kind neither its name nor its bytes tell."""


class WarehouseError(UserError):
    """Report a warehouse that cannot be used."""

    exit_code = 4


class WarehouseLocked(WarehouseError):
    """Report that another process writes to the warehouse."""


class WarehouseMissing(WarehouseError):
    """Report that no warehouse is at that path."""


class WarehouseDamaged(WarehouseError):
    """Report a file that is not a warehouse of ours, or a key that is not its key."""


class WarehouseFull(WarehouseError):
    """Report a full disk."""


class ReconciliationError(UserError):
    """Report an identity that does not hold; the file was not loaded."""

    exit_code = 5


class EngineUnavailable(UserError):
    """Report an optional engine or package that is not installed."""

    exit_code = 6
