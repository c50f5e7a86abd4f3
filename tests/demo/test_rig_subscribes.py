"""A demo's sandboxes tell its own console of changes."""

from __future__ import annotations

from dataclasses import replace  # noqa: TID251 - a stage is no struct
from pathlib import Path

from tests.support.console import served
from tests.support.stages import Play, small_play
from tests.support.waiting import wait_for
from worker.config import Webhooks
from worker.state import triggers
from worker.state.triggers import Source


def askers(play: Play) -> set[str]:
    with play.stage.store.reading("studio") as tx:
        return {
            asker.name
            for request in triggers.pending(tx)
            for asker in (request.asker, *request.also)
            if asker.source is Source.WEBHOOK
        }


def test_both_sandboxes_tell_the_console_at_once_and_again_after_a_restart(
    tmp_path: Path,
) -> None:
    files = Webhooks(
        notion_token_file=tmp_path / "notion-hook",
        jira_secret_file=tmp_path / "jira-hook",
    )
    with small_play(tmp_path) as made:
        settings = made.stage.context.settings.model_copy(update={"webhooks": files})
        context = replace(made.stage.context, settings=settings)
        play = replace(made, stage=replace(made.stage, context=context))
        for is_wanted in (True, False):
            with served(play) as console:
                play.stage.subscribe(console.address.replace("https:", "http:"))
                with play.stage.store.transaction("studio") as tx:
                    triggers.take(tx, 1)
                move = {"issue": "ACME-5", "status": "In Progress"}
                play.stage.jira.control("transition", move)
                play.edit("clients", play.page("clients", 0), sync_now=is_wanted)
                wait_for(lambda: askers(play) == {"notion", "jira"}, "both events")
                move["status"] = "To Do"
                play.stage.jira.control("transition", move)
        for file in (files.notion_token_file, files.jira_secret_file):
            assert file is not None
            assert file.stat().st_mode & 0o777 == 0o600
