"""Cards without Jira work and Jira projects without a card, with the likeliest pairs: said, never joined by guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process, utils

from worker.domain.entities import Card, CardWork, Client, JiraProject, Stage
from worker.domain.messages import NOTHING, Text, listed, literal, tell
from worker.domain.values import Ref
from worker.errors import Code, Problem, Severity
from worker.world.links import LinkKind, ResolvedLink

SCORE = 60
CANDIDATES = 3
CARDS = "projects"
ENDED = (Stage.DONE, Stage.LOST)


Names = Mapping[str, str]


def unmatched_cards(
    cards: Mapping[Ref, Card],
    clients: Mapping[Ref, Client],
    projects: Sequence[JiraProject],
) -> list[Problem]:
    """Return a problem for each living card whose Jira field is empty."""
    empty = [
        card
        for card in cards.values()
        if not (card.jira or "").strip() and card.stage not in ENDED
    ]
    shown = {project.key: f"{project.name} ({project.key})" for project in projects}
    folded = _fold({project.key: project.name for project in projects})
    return [
        Problem(
            code=Code.UNMATCHED_CARD,
            where=tell("Projects: {name}", name=card.name),
            field="jira",
            message=tell(
                "the card names no Jira work{likely}",
                likely=_likely(_card_name(card, clients), folded, shown),
            ),
            hint=tell(
                "put a project key, an epic key, a filter or a JQL into its Jira field"
            ),
            url=card.url,
            severity=Severity.INFO,
        )
        for card in empty
    ]


def unmatched_projects(
    projects: Iterable[JiraProject],
    links: Mapping[str, ResolvedLink],
    work: Mapping[Ref, CardWork],
) -> tuple[JiraProject, ...]:
    """Return the projects that no card names, wholly or by some of their issues; `links` by the card's page id."""
    living = {
        page_id: link
        for page_id, link in links.items()
        if not link.problem or link.as_of is not None
    }
    idle = {project.key for project in projects} - {
        part.project for link in living.values() for part in link.each()
    }
    for page_id, link in living.items():
        if (
            idle
            and link.kind is not LinkKind.PROJECT
            and (attached := work.get(Ref(CARDS, page_id)))
        ):
            idle.difference_update([issue.project for issue in attached.issues])
    return tuple(project for project in projects if project.key in idle)


def no_clients(board: Mapping[str, str]) -> Problem:
    """Return the one thing to be told of boards on which nobody has written yet: where to begin."""
    return Problem(
        code=Code.NO_CLIENTS,
        where=listed(board),
        message=tell("there are no clients yet, so there is nothing to plan"),
        hint=tell(
            "add a client there, then its cards on the board of projects, each with its Jira project or epic"
        ),
        severity=Severity.INFO,
    )


def project_problems(
    unmatched: Sequence[JiraProject],
    cards: Mapping[Ref, Card],
    clients: Mapping[Ref, Client],
    site_url: str,
) -> list[Problem]:
    """Return a problem for each project without a card."""
    shown = (
        {ref.key: _card_name(card, clients) for ref, card in cards.items()}
        if unmatched
        else {}
    )
    folded = _fold(shown)
    return [
        Problem(
            code=Code.UNMATCHED_PROJECT,
            where=literal(f"Jira: {project.key}"),
            message=tell(
                "no card names the Jira project {project}{likely}",
                project=project.name,
                likely=_likely(project.name, folded, shown),
            ),
            hint=tell("put {key} into the Jira field of its card", key=project.key),
            url=f"{site_url.rstrip('/')}/browse/{project.key}" if site_url else "",
            severity=Severity.INFO,
        )
        for project in unmatched
    ]


def _card_name(card: Card, clients: Mapping[Ref, Client]) -> str:
    client = clients.get(card.client) if card.client else None
    return f"{client.name}: {card.name}" if client else card.name


def _fold(names: Names) -> dict[str, str]:
    return {key: utils.default_process(name) for key, name in names.items()}


def _likely(name: str, folded: Names, shown: Names) -> Text:
    candidates = process.extract(
        utils.default_process(name),
        folded,
        scorer=fuzz.token_set_ratio,
        score_cutoff=SCORE,
        limit=CANDIDATES,
    )
    return (
        tell(
            "; likely: {names}", names=", ".join(shown[key] for _, _, key in candidates)
        )
        if candidates
        else NOTHING
    )
