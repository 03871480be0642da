"""Stars, read as a stranger would: from the text alone the way is found, and it is the answer."""

import numpy as np

from scaling.tasks import decoded
from scaling.tasks.star import BRANCHES, StarPath

TASK = StarPath()


def test_the_edges_that_are_told_lead_one_way_to_the_leaf() -> None:
    for difficulty in TASK.difficulties:
        keys = TASK.problems(2, np.arange(40), difficulty)
        for question, answer in zip(
            TASK.questions(keys, difficulty), TASK.answers(keys, difficulty), strict=True
        ):
            *edges, asked = decoded(question).split("|")
            centre, leaf = asked.removesuffix("=").split("-")
            before = {edge[1]: edge[0] for edge in edges}
            assert len(before) == len(edges) == BRANCHES * difficulty
            way = leaf
            while way[0] != centre:
                way = before[way[0]] + way
            assert way[1:] == answer
            assert len(answer) == difficulty
            assert sum(edge[0] == centre for edge in edges) == BRANCHES


def test_edges_are_told_in_any_order() -> None:
    keys = TASK.problems(2, np.arange(400), 5)
    first = [decoded(row)[:2] for row in TASK.questions(keys, 5)]
    centre = [decoded(row)[-4] for row in TASK.questions(keys, 5)]
    assert (
        np.mean([edge[0] == one for edge, one in zip(first, centre, strict=True)]) < 0.3
    )  # one edge in five


def test_thinking_goes_back_from_the_leaf() -> None:
    keys = TASK.problems(2, np.arange(1), 5)
    (way,) = TASK.answers(keys, 5)
    assert decoded(TASK.traces(keys, 5, "1")[0]) == f"{way[::-1]}#{way}."
    assert decoded(TASK.traces(keys, 5, "2")[0]) == f"{way[::-1][::2]}#{way}."
    assert decoded(TASK.traces(keys, 5, "direct")[0]) == f"#{way}."
