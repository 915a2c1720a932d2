"""`studio learning` through the workspace: what is shown and taken is logged, and thin data are said to be thin."""

import json

from studio.cli import main
from studio.workspace.workspace import Workspace


def test_shown_and_taken_cards_are_logged_and_weighed(tmp_path, capsys):
    folder = tmp_path / "workspace"
    with Workspace.open(folder) as workspace:
        context = workspace.templates.understand_text("Our web shop sells shoes, with basket and checkout.")
        workspace.templates.remember(context)
        ranked = workspace.templates.recommend(context, record=True)
        first = ranked.recommendations[0].template
        workspace.templates.create(first, context)
        (showing,) = workspace.learning.showings()
        assert [card.template for card in showing.cards if card.is_taken] == [first]
        assert all(0 < card.propensity <= 1 for card in showing.cards)
    assert main(["learning", "--workspace", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["answer"] == "too_thin"
    assert answer["showings"] == 1
    assert answer["by_policy"]
