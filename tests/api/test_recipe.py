"""Recipes are read back as they were written, and nonsense is explained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.errors import InvalidInput
from workbench.api.recipe import Recipe, Step

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
steps = st.builds(
    Step, technique=st.text(max_size=20), parameters=st.dictionaries(st.text(max_size=8), json_values)
)


@given(
    st.builds(Recipe, steps=st.lists(steps, min_size=1, max_size=4).map(tuple), seed=st.integers(0, 2**31))
)
def test_yaml_and_back(recipe: Recipe) -> None:
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe


def test_a_recipe_may_demand_instead_of_naming_steps() -> None:
    recipe = Recipe.from_yaml("advise: {size_kb: 100, loss_points: 1}")
    assert recipe.advise == {"size_kb": 100, "loss_points": 1}
    assert "steps" not in recipe.to_yaml()
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe


@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_an_explained_error(text: str) -> None:
    try:
        recipe: Recipe | None = Recipe.from_yaml(text)
    except InvalidInput as error:
        recipe, message = None, str(error)
    assert recipe is not None or message.startswith(("The recipe", "A recipe"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A recipe is a mapping with 'steps'. Received: NoneType."),
        ("workbench: 1\nsteps: []", "The recipe is wrong at steps: Tuple should have at least 1 item"),
        ("seed: 1", "The recipe is wrong at recipe: Value error, a recipe holds either 'steps' or 'advise'"),
        ("advise: {}\nsteps: [{technique: a}]", "The recipe is wrong at recipe: Value error, a recipe holds"),
        ("workbench: 2\nsteps: [{technique: a}]", "The recipe is wrong at workbench: Input should be 1"),
        ("steps: [{technique: a, parameter: {}}]", "The recipe is wrong at steps.0.parameter: Extra inputs"),
        ("a: &a [1]\nsteps: *a", "The recipe is not YAML: aliases are not allowed"),
        ("!!python/object/apply:os.system [ls]", "The recipe is not YAML: could not determine a constructor"),
    ],
)
def test_nonsense_is_explained(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Recipe.from_yaml(text)
    assert str(caught.value).startswith(message)
