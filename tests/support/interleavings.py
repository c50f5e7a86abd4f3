"""Two workers on one state and one Notion, as a model: every interleaving of their steps, breadth first.

What may happen to a claim or a lease is said by the tables the product goes by (`worker.state.transitions`); only the
order in which a run takes its steps, and what the world may do, is said here. That real runs keep to that order is what
`tests.support.traces` looks at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from worker.state.transitions import (
    INTENTS,
    LEASES,
    OF_CLAIMANT,
    Act,
    Grip,
    Status,
    Step,
)

NOBODY = -1
NO_END = -1
WORKERS = (0, 1)


class At(Enum):
    """Where a run is: what it does next with the change in hand."""

    OUT = auto()
    SETTLING = auto()
    LOOKED_UP = auto()
    READING = auto()
    ADOPTING = auto()
    CLAIMING = auto()
    CLAIMED = auto()
    CHECKED = auto()
    NOTED = auto()
    AWAITING = auto()
    MADE = auto()
    IN_DOUBT = auto()
    REFUSED = auto()


class Worker(NamedTuple):
    """A worker: where its run is, the change in hand, and what it believes of the change's row (`seen`); whether the
    claim is still as it was when it was looked up."""

    at: At = At.OUT
    key: int = 0
    seen: int = 0
    is_unmoved: bool = True


class Claim(NamedTuple):
    """A creation in the journal; `is_due` once its settle time is over, `is_open` while a request for it left that nothing
    has settled."""

    status: Status = Status.ABSENT
    run: int = NOBODY
    is_due: bool = False
    is_open: bool = False


class State(NamedTuple):
    """Everything there is: the lease, the claims, the pages of each key, the requests under way, the workers; how many
    processes may die yet, and how many runs begin."""

    claims: tuple[Claim, ...]
    pages: tuple[int, ...]
    workers: tuple[Worker, ...] = (Worker(),) * len(WORKERS)
    requests: tuple[tuple[int, int], ...] = ()
    grip: Grip = Grip.FREE
    owner: int = NOBODY
    crashes: int = 0
    runs: int = NO_END

    @property
    def is_quiet(self) -> bool:
        """Tell whether everything is made, once, and nobody does anything."""
        return (
            all(worker.at is At.OUT for worker in self.workers)
            and not self.requests
            and all(claim.status is Status.DONE for claim in self.claims)
            and set(self.pages) == {1}
        )


class Doubled(Exception):
    """A request to make a row leaves although another one may have made it, or one whose claim is not its run's."""


@dataclass(slots=True)
class Model:
    """What may happen next. `gap`: a process may be paused between its last check and the wire for as long as one
    pleases. `notes_last`: a claim's time is noted after the fence was asked, as it is."""

    intents: Mapping[Status, Mapping[Step, Status]] = field(
        default_factory=lambda: INTENTS
    )
    leases: Mapping[Grip, Mapping[Act, Grip]] = field(default_factory=lambda: LEASES)
    gap: bool = False
    notes_last: bool = True
    waits: bool = True
    used: set[tuple[Enum, Enum]] = field(default_factory=set)

    def follow(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield what may happen, and the state after it."""
        yield from self._pass_time(state)
        for place, (who, key) in enumerate(state.requests):
            left = state._replace(
                requests=state.requests[:place] + state.requests[place + 1 :]
            )
            made = _put_page(left, key)
            if self._awaits(state, who, key):
                yield "answered", _move(made, who, at=At.MADE)
                yield "made, answer lost", _move(made, who, at=At.IN_DOUBT)
                yield "refused", _move(_close(left, key), who, at=At.REFUSED)
                yield "lost", _move(left, who, at=At.IN_DOUBT)
                yield "timed out", _move(state, who, at=At.IN_DOUBT)
            else:
                yield "made late", made
                yield "never made", left
        for who in WORKERS:
            yield from self._work(state, who)
            if state.crashes and state.workers[who].at is not At.OUT:
                crashed = state._replace(crashes=state.crashes - 1)
                yield f"{who} dies", self._die(crashed, who)

    def _awaits(self, state: State, who: int, key: int) -> bool:
        return who != NOBODY and state.workers[who][:2] == (At.AWAITING, key)

    def _pass_time(self, state: State) -> Iterator[tuple[str, State]]:
        for act in (Act.WAIT, Act.CORRECT):
            if (grip := self._act(state.grip, act)) is not None:
                yield act.value, state._replace(grip=grip)
        for key, claim in enumerate(state.claims):
            if claim.status is Status.ABSENT or claim.is_due:
                continue
            under_way = any(asked == key for _, asked in state.requests)
            leaving = any(worker[:2] == (self._last, key) for worker in state.workers)
            if not under_way and (self.gap or not leaving):
                yield f"settle time of {key}", _put(state, key, is_due=True)

    @property
    def _last(self) -> At:
        """Where a run is whose next step is the wire."""
        return At.NOTED if self.notes_last else At.CHECKED

    def _work(self, state: State, who: int) -> Iterator[tuple[str, State]]:
        worker = state.workers[who]
        ours = state.owner == who
        key = worker.key
        renewed = self._act(state.grip, Act.RENEW) if ours else None
        if renewed is not None:
            yield f"{who} renews", state._replace(grip=renewed)
        match worker.at:
            case At.OUT:
                grip = self._act(state.grip, Act.CLAIM)
                if grip is not None and state.runs:
                    runs = max(state.runs - 1, NO_END)
                    taken = state._replace(grip=grip, owner=who, runs=runs)
                    yield f"{who} begins", _move(taken, who, at=At.SETTLING, key=0)
            case At.SETTLING:
                yield from self._settle(state, who, key)
            case At.LOOKED_UP:
                yield f"{who} settles", self._record(state, who, worker)
            case At.READING:
                seen = sum(
                    1 << place for place, pages in enumerate(state.pages) if pages
                )
                yield f"{who} reads", _move(state, who, at=At.ADOPTING, seen=seen)
            case At.ADOPTING:
                yield f"{who} adopts", self._adopt(state, who, worker)
            case At.CLAIMING:
                yield f"{who} claims", self._claim(state, who, worker)
            case At.CLAIMED | At.CHECKED | At.NOTED:
                yield from self._leave(state, who, worker)
            case At.MADE:
                after, _ = self._take(state, key, Step.FINISH, who)
                yield f"{who} finishes", self._go_on(after, who)
            case At.IN_DOUBT:
                after, _ = self._take(state, key, Step.DOUBT, who)
                yield f"{who} doubts", self._go_on(after, who)
            case At.REFUSED:
                yield f"{who} tries again", _move(state, who, at=At.CLAIMED)
                after, _ = self._take(state, key, Step.FAIL, who)
                yield f"{who} gives up", self._go_on(after, who)

    def _settle(self, state: State, who: int, key: int) -> Iterator[tuple[str, State]]:
        if key == len(state.claims):
            yield f"{who} settled", _move(state, who, at=At.READING, key=0)
            return
        claim = state.claims[key]
        open_ = Step.MISS in self.intents[claim.status]
        if not open_ or (self.waits and not claim.is_due):
            yield f"{who} waits for {key}", _move(state, who, key=key + 1)
            return
        if state.pages[key] > 1:
            yield f"{who} finds two of {key}", _move(state, who, key=key + 1)
            return
        yield (
            f"{who} looks up {key}",
            _move(state, who, at=At.LOOKED_UP, seen=state.pages[key], is_unmoved=True),
        )

    def _record(self, state: State, who: int, worker: Worker) -> State:
        if state.owner != who:
            return self._end(state, who)
        if worker.is_unmoved:
            step = Step.FIND if worker.seen else Step.MISS
            state, _ = self._take(state, worker.key, step, NOBODY)
        state = _move(state, who, seen=0, is_unmoved=True)
        return _move(state, who, at=At.SETTLING, key=worker.key + 1)

    def _adopt(self, state: State, who: int, worker: Worker) -> State:
        if state.owner != who:
            return self._end(state, who)
        for key in range(len(state.claims)):
            if worker.seen >> key & 1:
                state, _ = self._take(state, key, Step.ADOPT, NOBODY)
        return _move(state, who, at=At.CLAIMING, key=0)

    def _claim(self, state: State, who: int, worker: Worker) -> State:
        if worker.key == len(state.claims):
            return self._end(state, who)
        was_seen = worker.seen >> worker.key & 1
        state = _move(state, who, seen=worker.seen & ~(1 << worker.key))
        if was_seen:
            return _move(state, who, key=worker.key + 1)
        if state.owner != who:
            return self._end(state, who)
        state, is_ours = self._take(state, worker.key, Step.CLAIM, who)
        if is_ours:
            return _move(state, who, at=At.CLAIMED)
        return _move(state, who, key=worker.key + 1)

    def _leave(
        self, state: State, who: int, worker: Worker
    ) -> Iterator[tuple[str, State]]:
        checks = [At.CLAIMED, At.CHECKED, At.NOTED]
        if not self.notes_last:
            checks = [At.CLAIMED, At.NOTED, At.CHECKED]
        if worker.at is checks[-1]:
            yield f"{who} sends", self._wire(state, who, worker.key)
            return
        following = checks[checks.index(worker.at) + 1]
        if following is At.CHECKED:
            yield f"{who} checks", self._check(state, who, worker.key)
        else:
            yield f"{who} notes", self._note(state, who, worker.key)

    def _check(self, state: State, who: int, key: int) -> State:
        if state.owner != who:
            return self._give_back(state, who, key)
        if self._act(state.grip, Act.SEND) is None:
            grip = self._act(state.grip, Act.RENEW)
            if grip is None:
                return self._give_back(state, who, key)
            state = state._replace(grip=grip)
        return _move(state, who, at=At.CHECKED)

    def _note(self, state: State, who: int, key: int) -> State:
        if state.owner != who:
            return self._give_back(state, who, key)
        state, is_ours = self._take(state, key, Step.SEND, who)
        if not is_ours:
            return self._give_back(state, who, key)
        return _move(state, who, at=At.NOTED)

    def _give_back(self, state: State, who: int, key: int) -> State:
        state, _ = self._take(state, key, Step.FAIL, who)
        return self._end(state, who)

    def _wire(self, state: State, who: int, key: int) -> State:
        claim = state.claims[key]
        if not self.gap and (
            claim.is_open or (claim.status, claim.run) != (Status.INTENDED, who)
        ):
            raise Doubled
        state = _put(state, key, is_open=True)
        state = state._replace(requests=tuple(sorted((*state.requests, (who, key)))))
        return _move(state, who, at=At.AWAITING)

    def _go_on(self, state: State, who: int) -> State:
        key = state.workers[who].key + 1
        return _move(state, who, at=At.CLAIMING, key=key)

    def _end(self, state: State, who: int) -> State:
        if state.owner == who:
            grip = self._act(state.grip, Act.RELEASE)
            state = state._replace(grip=grip or state.grip, owner=NOBODY)
        return _leave_behind(state, who)

    def _die(self, state: State, who: int) -> State:
        if state.owner == who:
            grip = self._act(state.grip, Act.DIE)
            state = state._replace(grip=grip or state.grip, owner=NOBODY)
        return _leave_behind(state, who)

    def _act(self, grip: Grip, act: Act) -> Grip | None:
        after = self.leases[grip].get(act)
        if after is not None:
            self.used.add((grip, act))
        return after

    def _take(self, state: State, key: int, step: Step, who: int) -> tuple[State, bool]:
        claim = state.claims[key]
        status = self.intents[claim.status].get(step)
        if status is None or (step in OF_CLAIMANT and claim.run != who):
            return state, False
        self.used.add((claim.status, step))
        if step is Step.CLAIM:
            claim = claim._replace(run=who)
        if step in (Step.CLAIM, Step.SEND, Step.DOUBT):
            claim = claim._replace(is_due=False)
        if step is Step.MISS:
            claim = claim._replace(is_open=False)
        moved = claim._replace(status=status)
        workers = tuple(
            worker._replace(is_unmoved=False)
            if (worker.at, worker.key) == (At.LOOKED_UP, key)
            else worker
            for worker in state.workers
        )
        state = state._replace(workers=workers)
        return _put(state, key, **moved._asdict()), True


def _put(state: State, key: int, **values: object) -> State:
    claims = list(state.claims)
    claims[key] = claims[key]._replace(**values)  # type: ignore[arg-type]
    return state._replace(claims=tuple(claims))


def _close(state: State, key: int) -> State:
    return _put(state, key, is_open=False)


def _put_page(state: State, key: int) -> State:
    pages = list(state.pages)
    pages[key] = min(pages[key] + 1, 3)
    return state._replace(pages=tuple(pages))


def _move(state: State, who: int, **values: object) -> State:
    workers = list(state.workers)
    workers[who] = workers[who]._replace(**values)  # type: ignore[arg-type]
    return state._replace(workers=tuple(workers))


def _leave_behind(state: State, who: int) -> State:
    """Return the state after a run is over: what it claimed is nobody's, what it sent goes its way."""
    claims = tuple(
        claim._replace(run=NOBODY) if claim.run == who else claim
        for claim in state.claims
    )
    requests = tuple(
        sorted(
            (NOBODY, key) if sender == who else (sender, key)
            for sender, key in state.requests
        )
    )
    state = state._replace(claims=claims, requests=requests)
    return _move(state, who, **Worker()._asdict())


@dataclass(slots=True)
class Explored:
    """Every state that can be reached, and from which states each is reached; how, for the first that is wrong."""

    before: dict[State, list[State]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def stuck(self) -> set[State]:
        """Return the states from which quiet cannot be reached."""
        good = {state for state in self.before if state.is_quiet}
        queue = deque(good)
        while queue:
            for state in self.before[queue.popleft()]:
                if state not in good:
                    good.add(state)
                    queue.append(state)
        return self.before.keys() - good


def explore(model: Model, start: State) -> Explored:
    """Go through everything that may happen; stops at the first request that must not leave and tells the way to it."""
    explored = Explored({start: []})
    ways: dict[State, tuple[str, State] | None] = {start: None}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        following = model.follow(state)
        try:
            for event, following_state in following:
                after = _alike(following_state)
                if after not in ways:
                    ways[after] = (event, state)
                    explored.before[after] = []
                    queue.append(after)
                explored.before[after].append(state)
        except Doubled:
            explored.found = [*_way(ways, state), "doubled"]
            return explored
    return explored


def _alike(state: State) -> State:
    """Return the one that stands for a state and for that with the two workers' names exchanged."""
    other = {0: 1, 1: 0, NOBODY: NOBODY}
    claims = tuple(claim._replace(run=other[claim.run]) for claim in state.claims)
    requests = tuple(sorted((other[who], key) for who, key in state.requests))
    mirrored = state._replace(
        claims=claims,
        requests=requests,
        workers=state.workers[::-1],
        owner=other[state.owner],
    )
    return min(state, mirrored, key=_order)


def _order(state: State) -> tuple[object, ...]:
    workers = tuple((worker.at.value, *worker[1:]) for worker in state.workers)
    runs = tuple(claim.run for claim in state.claims)
    return workers, runs, state.requests, state.owner


def _way(ways: Mapping[State, tuple[str, State] | None], state: State) -> list[str]:
    events: list[str] = []
    while (step := ways[state]) is not None:
        event, state = step
        events.append(event)
    return events[::-1]
