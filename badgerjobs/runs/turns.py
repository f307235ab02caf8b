"""Who is given slots next: workspaces in turn, and in turn the applications of each, as far as they may have more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# So many workspaces, and applications, are remembered. Who was served before all of them is served first again.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Most:
    """How many of something one may have: a workspace with all that it has, and each of its applications."""

    workspace: int
    application: int

    @classmethod
    def of(cls, places: int) -> "Most":
        """An application half of them, and its workspace three quarters: so that there is always one for others.

        At least one each, where there is one.
        """
        least = min(1, places)
        return cls(max(least, min(places * 3 // 4, places - 1)), max(least, places // 2))


@dataclass(frozen=True, slots=True)
class Held:
    """How many slots each has already, by the ids of workspaces and of applications."""

    workspaces: Mapping[int, int] = field(default_factory=dict)
    applications: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """An application that has queued runs, and may begin so many of them."""

    application_id: int
    workspace_id: int
    room: int


@dataclass(frozen=True, slots=True)
class Turn:
    """So many runs of this application are to be taken now."""

    application_id: int
    workspace_id: int
    runs: int


class Rota:
    """Remembers who was served when, for one worker.

    `looked_to`: where the last look for applications with work ended, by their ids. 0: it saw all of them.
    """

    def __init__(self) -> None:
        self.looked_to = 0
        self._count = 0
        self._workspaces: dict[int, int] = {}
        self._applications: dict[int, int] = {}

    def turns(self, found: Sequence[Open], limit: int, rooms: Mapping[int, int]) -> list[Turn]:
        """Who gets how many of so many runs, where a workspace may have as many as it has room for.

        Who was served longest ago comes first. It was its turn then, whatever there is to be taken.
        """
        groups: dict[int, list[Open]] = {}
        for one in found:
            groups.setdefault(one.workspace_id, []).append(one)
        turns: list[Turn] = []
        each = -(-limit // max(1, len(groups)))
        for workspace in sorted(groups, key=lambda one: self._workspaces.get(one, 0)):
            share = min(each, limit, rooms[workspace])
            given = self._turns_within(groups[workspace], share)
            limit -= sum(turn.runs for turn in given)
            turns += given
        self._serve(turns)
        return turns

    def _turns_within(self, found: Sequence[Open], share: int) -> list[Turn]:
        turns: list[Turn] = []
        each = -(-share // len(found))
        for one in sorted(found, key=lambda one: self._applications.get(one.application_id, 0)):
            if runs := min(each, share, one.room):
                turns.append(Turn(one.application_id, one.workspace_id, runs))
                share -= runs
        return turns

    def _serve(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            self._count += 1
            _remember(self._workspaces, turn.workspace_id, self._count)
            _remember(self._applications, turn.application_id, self._count)


@dataclass(frozen=True, slots=True)
class Share:
    """How many runs one may have in a worker's hands, how many each has there already, and whose turn it is."""

    most: Most
    held: Held = field(default_factory=Held)
    rota: Rota = field(default_factory=Rota)

    def room_of_workspace(self, workspace_id: int) -> int:
        """How many more it may have."""
        return max(0, self.most.workspace - self.held.workspaces.get(workspace_id, 0))

    def room_of_application(self, application_id: int) -> int:
        """How many more it may have, as far as its workspace goes."""
        return max(0, self.most.application - self.held.applications.get(application_id, 0))

    @property
    def full(self) -> int:
        """How many have all that they may have."""
        return sum(n >= self.most.application for n in self.held.applications.values())


def _remember(served: dict[int, int], one: int, at: int) -> None:
    """Who was served longest ago stands first, and is forgotten first."""
    served.pop(one, None)
    served[one] = at
    if len(served) > REMEMBERED:
        del served[next(iter(served))]
