"""Stars, read as a stranger would: from the text alone the way is found, and it is the answer."""

import numpy as np
import pytest

from scaling.tasks import decoded
from scaling.tasks.star import BRANCHES, StarPath

TASK = StarPath()


def followed(question: str, branch: int) -> str:
    """Return the nodes from the centre on, first along its edge number `branch`, without a look at the leaf."""
    *edges, asked = question.split("|")
    after = {edge[0]: edge[1] for edge in edges}  # of the centre, the last edge told
    way = [edge[1] for edge in edges if edge[0] == asked[0]][branch]
    while way[-1] in after:
        way += after[way[-1]]
    return way


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


@pytest.mark.parametrize("difficulty", TASK.difficulties)
def test_a_branch_at_random_scores_a_quarter_which_is_chance(difficulty: int) -> None:
    keys = TASK.problems(4, np.arange(2000), difficulty)
    told = [decoded(row) for row in TASK.questions(keys, difficulty)]
    branches = np.random.default_rng(difficulty).integers(BRANCHES, size=len(keys)).tolist()
    said = [f"#{followed(*one)}." for one in zip(told, branches, strict=True)]
    quarter = pytest.approx(0.25, abs=0.048)  # 5 standard errors
    assert TASK.scores(keys, difficulty, said).mean() == quarter
    assert TASK.chance(difficulty) == (0.25 if difficulty > 1 else 1)


def test_at_length_one_the_leaf_that_is_named_is_the_answer() -> None:
    keys = TASK.problems(4, np.arange(50), 1)
    copied = [f"#{decoded(row)[-2]}." for row in TASK.questions(keys, 1)]
    assert TASK.scores(keys, 1, copied).tolist() == [TASK.chance(1)] * 50
    assert TASK.fair() == 2


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
