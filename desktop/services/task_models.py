"""Task models: who does which task, where that is not the default provider, and who is asked when that one does not answer.

A task is a recipe that writes a summary, or the second opinion. Merging and bringing up to date are steps of a summary, and are done by whoever
writes it. What is set of a provider that is gone, or of a recipe that is, stays in the settings and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.providers import ProviderProfile, TaskModel
from desktop.services.recipes import RecipeBook
from desktop.services.second_opinion import PURPOSE as SECOND_OPINION

_SETTING = "task_models"
_STEPS_OF_OTHERS = ("incremental", "merge")

Route = tuple[tuple[str, str], ...]
"""Whom to ask, in this order: name of the provider and its model, '' where none is chosen yet."""


class TaskModels:
    """The user's choices, read anew each time: the window and the command may be open on the same settings."""

    def __init__(self, settings: Settings, recipes: RecipeBook, *, profile: Callable[[str], ProviderProfile]) -> None:
        """`profile` returns the profile of a name, that of the default for ''; it raises `provider-missing`."""
        self._settings = settings
        self._recipes = recipes
        self._profile = profile

    def all(self) -> tuple[TaskModel, ...]:
        """Return what is set for every task there is, in the order in which they are shown."""
        names = [recipe.name for recipe in self._recipes.all() if recipe.task not in _STEPS_OF_OTHERS]
        names.sort(key=lambda name: (name != "summarize", name))
        return tuple(self.get(name) for name in (*names, SECOND_OPINION))

    def get(self, task: str) -> TaskModel:
        """Return what is set for one task; a provider of '' is the default one."""
        stored = self._settings.get(_SETTING).get(task)
        values: dict[Any, Any] = stored if isinstance(stored, dict) else {}
        provider, model = str(values.get("provider", "")), str(values.get("model", ""))
        if provider and self._find(provider) is None:
            return TaskModel(task)
        return TaskModel(task, provider, model if provider else "")

    def who(self, task: str) -> Route:
        """Return whom a task is asked of when nobody is named; () for a second opinion that is left to whoever wrote the summary."""
        return () if task == SECOND_OPINION and not self.get(task).provider else self.route(task)

    def set(self, chosen: TaskModel) -> None:
        """Choose who does a task; a provider of '' leaves it to the default again.

        Raises:
            DeskError: `task-missing`, `provider-missing`, `settings-unwritable`.
        """
        self.require(chosen.task)
        stored = dict(self._settings.get(_SETTING))
        stored.pop(chosen.task, None)
        if chosen.provider:
            stored[chosen.task] = {"provider": self._profile(chosen.provider).name, "model": chosen.model}
        self._settings.set(_SETTING, stored)

    def require(self, task: str) -> None:
        """Refuse a task that there is not.

        Raises:
            DeskError: `task-missing`.
        """
        known = [each.task for each in self.all()]
        if task not in known:
            raise DeskError(
                "task-missing", f"There is no task named “{task}”.", remedy=f"Use one of: {', '.join(known)}."
            )

    def route(self, task: str, provider: str = "", model: str = "") -> Route:
        """Return whom to ask: who was named, else who is set for the task, else the default; then those that stand in for it.

        A model without a provider is one of whoever does the task. Those who stand in use their own model.

        Raises:
            DeskError: `provider-missing`, when the one that was named is not there.
        """
        chosen = self.get(task)
        first = self._profile(provider or chosen.provider)
        own_model = first.model if provider else chosen.model or first.model
        route = [(first.name, model or own_model)]
        following = self._find(first.fallback)
        while following is not None and following.name not in {name for name, _ in route}:
            route.append((following.name, following.model))
            following = self._find(following.fallback)
        return tuple(route)

    def _find(self, name: str) -> ProviderProfile | None:
        try:
            return self._profile(name) if name else None
        except DeskError:
            return None
