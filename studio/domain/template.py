"""Templates, what the program knows of a business, and what it recommends and predicts from both.

The template file is `studio.template/1`. Absent on purpose: ranking and filling in, which are the gallery's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from studio.domain.workflow import Workflow

Localised: TypeAlias = Mapping[str, str]
"""Language code → text; `en` always there."""

Band: TypeAlias = Literal["strong", "likely", "worth_a_look"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Part):
    """How a parameter is filled in.

    `kind` fact: take the named fact; benchmark: the template's own number; choice: first option whose `when` facts
    hold; copy: a sentence from `options` by language and tone; fixed: the default.
    """

    kind: Literal["fact", "benchmark", "choice", "copy", "fixed"]
    fact: str | None = None
    options: tuple[Mapping[str, JsonValue], ...] = ()
    evidence: str = ""


class TemplateParameter(_Part):
    """One typed setting of a template. `default` is used when no rule gives a value and nothing was promoted."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    type: Literal["text", "duration", "number", "integer", "rate", "money", "boolean", "choice", "colour", "time"]
    unit: str = ""
    default: JsonValue
    rule: Rule
    title: Localised
    help: Localised
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


class Benchmark(_Part):
    """A published number with what it counts. `value`: a rate in [0, 1] or an amount; `weight`: pseudo-observations."""

    metric: str
    numerator: str
    denominator: str
    value: float
    weight: float = 100.0
    period: str
    industry: str
    source: str
    machine_opens_included: bool | None = None


class Need(_Part):
    """What must be there for the template to work: connectors, event kinds, contact fields."""

    connectors: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Template(_Part):
    """A parametrised, versioned recipe. `workflow` binds parameters with `{"$param": name}`.

    `expects` tells ranking what the business must have or do (fact → weight); `goals` what it serves. `sample` holds
    the properties of a made-up event that starts it, for trying it out: a text such as `+P5D` is a moment from then.
    """

    format: Literal["studio.template/1"] = "studio.template/1"
    id: str
    version: int = 1
    archetype: str
    name: Localised
    description: Localised
    typical_for: str
    channels: tuple[str, ...] = ("email",)
    goals: tuple[str, ...] = ()
    parameters: tuple[TemplateParameter, ...] = ()
    workflow: Workflow
    messages: tuple[str, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    simulation: Mapping[str, float] = {}
    truth: Mapping[str, float] = {}
    needs: Need = Need()
    sample: Mapping[str, JsonValue] = {}

    def parameter(self, name: str) -> TemplateParameter:
        """The parameter of that name; KeyError when there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing understood about the business. `confidence` in [0, 1]; `evidence` quotes where it was found."""

    name: str
    value: JsonValue
    confidence: float
    evidence: str


@dataclass(frozen=True, slots=True)
class BusinessContext:
    """What is known of the business: facts by name; what is unknown has no fact."""

    facts: tuple[Fact, ...] = ()
    text: str = ""
    types: tuple[str, ...] = ()

    def fact(self, name: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.name == name), None)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in words; `fact` names the fact it rests on, None when it rests on results or the catalogue."""

    text: str
    fact: str | None = None
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """An expected value with an interval at `level` and where it comes from.

    `half_low` to `half_high`: the middle half. `driver`: in words, what most of the uncertainty comes from, with its
    share. `above_zero`: probability that the value is positive. None or empty where they are not given.
    """

    mean: float
    low: float
    high: float
    source: str
    level: float = 0.9
    half_low: float | None = None
    half_high: float | None = None
    driver: str = ""
    above_zero: float | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One ranked template. `score` orders; `confidence` is None unless it is calibrated."""

    template: str
    archetype: str
    score: float
    band: Band
    reasons: tuple[Reason, ...]
    prediction: Mapping[str, Prediction] = field(default_factory=dict)
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class FilledParameter:
    """One parameter's value with how sure the program is and why."""

    name: str
    value: JsonValue
    confidence: float
    evidence: str


@dataclass(frozen=True, slots=True)
class PastOutcome:
    """How a template did in a finished run: what ranking and prediction learn from.

    `trials` people treated, `successes` of them converted; `incremental` conversions per person beyond the holdout
    (None without one); `industry` the business type of then.
    """

    template: str
    industry: str
    run_id: str
    trials: int
    successes: int
    incremental: float | None = None
    incremental_low: float | None = None
    incremental_high: float | None = None
    predicted: Mapping[str, Prediction] = field(default_factory=dict)
    actual: Mapping[str, float] = field(default_factory=dict)
