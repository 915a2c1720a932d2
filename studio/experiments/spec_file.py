"""Reads the description of an experiment: every problem at once, each with its place and what to do.

Absent on purpose: files. The caller parses the JSON; this takes the object.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from studio.domain.errors import Problem, UserFixable
from studio.domain.spelling import nearest
from studio.experiments.covariates import RatioCovariate, linearised
from studio.experiments.moments import Arm, Covariate, Mean, Proportion, Ratio
from studio.experiments.spec import ExperimentSpec, Guardrail, Harm, Metric, Mode, Variant

VARIANTS_MAX = 50
GUARDRAILS_MAX = 50
_CODE = "EXPERIMENT-SPEC"


def _number(value: object) -> object:
    if isinstance(value, (bool, str)):
        raise ValueError("write a number, without quotes")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("write a finite number")
    return value


Count: TypeAlias = Annotated[int, BeforeValidator(_number), Field(ge=0, le=10**12)]
# Far beyond money and rates, and small enough that no product of four of them overflows.
Real: TypeAlias = Annotated[float, BeforeValidator(_number), Field(ge=-1e60, le=1e60)]
Spread: TypeAlias = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1e120)]
CrossSpread: TypeAlias = Annotated[float, BeforeValidator(_number), Field(ge=-1e120, le=1e120)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _VariantFile(_File, ABC):
    id: Name
    n: Count
    weight: Annotated[Real, Field(ge=0)] | None = None

    @abstractmethod
    def arm(self) -> Arm:
        """The statistics; raises ValueError where they contradict each other."""


class _ProportionFile(_VariantFile):
    successes: Count

    def arm(self) -> Arm:
        if self.successes > self.n:
            raise ValueError(f"{self.successes} successes among {self.n} contacts: count each contact once at most")
        return Proportion(self.n, self.successes)


class _MeanFile(_VariantFile):
    mean: Real | None = None
    var: Spread | None = None
    x_mean: Real | None = None
    x_var: Spread | None = None
    xy_cov: CrossSpread | None = None
    payers: Count | None = None

    def arm(self) -> Arm:
        _require(self.n >= 1, mean=self.mean)
        _require(self.n >= 2, var=self.var)
        if self.payers is not None and self.payers > self.n:
            raise ValueError(f"{self.payers} payers among {self.n} contacts: count each contact once at most")
        return Mean(self.n, self.mean or 0.0, self.var or 0.0, self._covariate(), self.payers)

    def _covariate(self) -> Covariate | None:
        if self.x_mean is None and self.x_var is None and self.xy_cov is None:
            return None
        _require(True, x_mean=self.x_mean, x_var=self.x_var, xy_cov=self.xy_cov)
        assert self.x_mean is not None and self.x_var is not None and self.xy_cov is not None
        _check_covariance(self.xy_cov, self.x_var, self.var or 0.0)
        return Covariate(self.x_mean, self.x_var, self.xy_cov)


class _RatioFile(_VariantFile):
    num_mean: Real | None = None
    num_var: Spread | None = None
    den_mean: Real | None = None
    den_var: Spread | None = None
    num_den_cov: CrossSpread | None = None
    x_mean: Real | None = None
    x_var: Spread | None = None
    num_x_cov: CrossSpread | None = None
    den_x_cov: CrossSpread | None = None

    def arm(self) -> Arm:
        _require(self.n >= 1, num_mean=self.num_mean, den_mean=self.den_mean)
        _require(self.n >= 2, num_var=self.num_var, den_var=self.den_var, num_den_cov=self.num_den_cov)
        num_var, den_var, cov = self.num_var or 0.0, self.den_var or 0.0, self.num_den_cov or 0.0
        _check_covariance(cov, num_var, den_var)
        ratio = Ratio(self.n, self.num_mean or 0.0, num_var, self.den_mean or 0.0, den_var, cov)
        covariate = self._covariate(num_var, den_var)
        return ratio if covariate is None else linearised(ratio, covariate) or ratio

    def _covariate(self, num_var: float, den_var: float) -> RatioCovariate | None:
        given = {name: getattr(self, name) for name in ("x_mean", "x_var", "num_x_cov", "den_x_cov")}
        if all(value is None for value in given.values()):
            return None
        _require(True, **given)
        x_var, num_cov, den_cov = (float(given[name]) for name in ("x_var", "num_x_cov", "den_x_cov"))
        _check_covariance(num_cov, num_var, x_var)
        _check_covariance(den_cov, den_var, x_var)
        return RatioCovariate(float(given["x_mean"]), x_var, num_cov, den_cov)


class _GuardrailFile(_File):
    name: Name
    margin: Annotated[Real, Field(ge=0, le=1)]
    harm: Harm = "either"
    metric: Metric | None = None
    variants: list[dict[str, object]] = Field(max_length=VARIANTS_MAX)


class _SpecFile(_File):
    metric: Metric
    control: Name
    planned_total: Annotated[Count, Field(ge=1)]
    alpha: Annotated[Real, Field(ge=1e-9, lt=0.5)] = 0.05
    mde: Annotated[Real, Field(gt=0)] | None = None
    started_at: datetime | None = None
    mode: Mode = "anytime"
    variants: list[dict[str, object]] = Field(min_length=2, max_length=VARIANTS_MAX)
    guardrails: list[_GuardrailFile] = Field(default=[], max_length=GUARDRAILS_MAX)


_VARIANT_FILES: Mapping[Metric, type[_VariantFile]] = {
    "proportion": _ProportionFile,
    "mean": _MeanFile,
    "ratio": _RatioFile,
}


def parse_spec(data: object) -> ExperimentSpec:
    """The experiment that the object describes.

    Raises:
        UserFixable: code EXPERIMENT-SPEC, with every problem found in `problems`.
    """
    problems: list[Problem] = []
    try:
        file = _SpecFile.model_validate(data)
    except ValidationError as error:
        problems = [_problem(item, "", _SpecFile) for item in error.errors()]
        raise _refusal([*problems, *_variant_problems(data)]) from None
    variants = _variants(file.variants, file.metric, "variants", problems)
    guardrails = tuple(
        Guardrail(
            name=entry.name,
            margin=entry.margin,
            harm=entry.harm,
            variants=_variants(entry.variants, entry.metric or file.metric, f"guardrails[{index}].variants", problems),
        )
        for index, entry in enumerate(file.guardrails)
    )
    ids = [variant.id for variant in variants]
    if not problems:
        problems += _id_problems(file, ids, guardrails)
    if problems:
        raise _refusal(problems)
    return ExperimentSpec(
        metric=file.metric,
        control=file.control,
        variants=variants,
        planned_total=file.planned_total,
        alpha=file.alpha,
        mde=file.mde,
        started_at=_in_utc(file.started_at),
        mode=file.mode,
        guardrails=guardrails,
    )


def _variants(
    entries: Sequence[dict[str, object]], metric: Metric, place: str, problems: list[Problem]
) -> tuple[Variant, ...]:
    """The variants that are right; what is wrong with the others goes to `problems`."""
    model = _VARIANT_FILES[metric]
    parsed: list[tuple[_VariantFile, Arm]] = []
    for index, entry in enumerate(entries):
        at = f"{place}[{index}]"
        try:
            file = model.model_validate(entry)
            parsed.append((file, file.arm()))
        except ValidationError as error:
            problems += [_problem(item, at, model) for item in error.errors()]
        except ValueError as error:
            problems.append(Problem(_CODE, f"{error}.", field=at))
    weights = [file.weight for file, _ in parsed] if len(parsed) == len(entries) else []
    if 0 < weights.count(None) < len(weights):
        problems.append(
            Problem(_CODE, "Some variants have a weight and some have none.", "Give all or none.", field=place)
        )
    elif weights and not any(weight is None or weight > 0 for weight in weights):
        problems.append(
            Problem(_CODE, "Every weight is 0.", "Give one variant at least a weight above 0.", field=place)
        )
    if len({type(arm) for _, arm in parsed if arm.estimate() is not None}) > 1:
        problems.append(
            Problem(_CODE, "Some variants have a covariate and some have none.", "Give all or none.", field=place)
        )
    return tuple(Variant(file.id, arm, 1.0 if file.weight is None else file.weight) for file, arm in parsed)


def _variant_problems(data: object) -> list[Problem]:
    """What is wrong inside the variants of a description that is wrong outside them too."""
    problems: list[Problem] = []
    if (
        isinstance(data, dict)
        and data.get("metric") in tuple(_VARIANT_FILES)
        and isinstance(data.get("variants"), list)
    ):
        entries = [entry for entry in data["variants"] if isinstance(entry, dict)]
        if len(entries) == len(data["variants"]) <= VARIANTS_MAX:
            _variants(entries, data["metric"], "variants", problems)
    return problems


def _id_problems(file: _SpecFile, ids: list[str], guardrails: tuple[Guardrail, ...]) -> list[Problem]:
    problems = _duplicates(ids, "variants")
    if file.control not in ids:
        hint = nearest(file.control, tuple(ids)) or f"The variants are: {', '.join(ids)}."
        problems.append(Problem(_CODE, f"There is no variant “{file.control}”.", hint, field="control"))
    if file.mode == "strict" and file.metric != "proportion":
        problems.append(
            Problem(_CODE, f"Mode strict is for proportions, not for a {file.metric}.", "Use anytime.", field="mode")
        )
    for index, guardrail in enumerate(guardrails):
        place, own = f"guardrails[{index}].variants", [variant.id for variant in guardrail.variants]
        problems += _duplicates(own, place)
        if set(own) != set(ids):
            hint = f"Give exactly these: {', '.join(ids)}."
            problems.append(Problem(_CODE, "The variants are not those of the experiment.", hint, field=place))
    return problems


def _duplicates(ids: list[str], place: str) -> list[Problem]:
    return [
        Problem(_CODE, f"{count} variants have the id “{name}”.", "Give each its own id.", field=place)
        for name, count in Counter(ids).items()
        if count > 1
    ]


def _problem(item: ErrorDetails, place: str, model: type[BaseModel]) -> Problem:
    path = place
    for part in item["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    owner = _GuardrailFile if item["loc"][:1] == ("guardrails",) else model
    if item["type"] == "extra_forbidden":
        known = tuple(owner.model_fields)
        hint = nearest(str(item["loc"][-1]), known) or f"Remove it; the fields are: {', '.join(known)}."
        return Problem(_CODE, "There is no such field.", hint, field=path)
    if item["type"] == "missing":
        return Problem(_CODE, "The field is missing.", "Add it.", field=path)
    if not item["loc"]:
        return Problem(
            _CODE, "This is not the description of an experiment.", "Give one JSON object.", field=path or None
        )
    return Problem(
        _CODE,
        f"{item['msg'].removeprefix('Value error, ').capitalize()}.",
        f"It is {_short(item['input'])} now.",
        field=path,
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _refusal(problems: list[Problem]) -> UserFixable:
    text = "\n".join(str(problem) for problem in problems)
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return UserFixable(
        _CODE,
        f"The description of the experiment has {count}:\n{text}",
        where=problems[0].field,
        hint="Correct the fields named and run the analysis again.",
        problems=problems,
    )


def _require(needed: bool, **values: float | None) -> None:
    absent = [name for name, value in values.items() if value is None]
    if needed and absent:
        raise ValueError(f"add {', '.join(absent)}")


def _check_covariance(cov: float, first: float, second: float) -> None:
    if abs(cov) > math.sqrt(first) * math.sqrt(second) * (1 + 1e-9):
        raise ValueError("the covariance is larger than the two variances allow: check that all three use ddof 1")


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
