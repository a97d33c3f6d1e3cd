"""AWS Step Functions: the pipeline as a state machine whose tasks are containers on ECS.

The language: https://states-language.net/spec.html. A task that ends with another exit code than 0 fails with
``States.TaskFailed``, and only the text of its cause has the code. ``Retry`` knows names of errors alone and cannot
decide by it; a ``Choice`` does. https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipekit.export.cloudformation import Deployed, template
from pipekit.export.contract import (
    FINAL_EXIT_CODES,
    WAIT_SECONDS,
    Exported,
    ExportedStep,
    Exporter,
    ExportError,
    by_needs,
)
from pipekit.export.given_values import check_aws_schedule, check_ids, check_name
from pipekit.export.nesting import Chain, Needs, Parallel, dependents, nested

_SETTINGS, _BEGIN, _END = "run settings", "pipekit begin", "pipekit end"
_SUCCEEDED, _FAILED, _NOT_BEGUN = "run succeeded", "run failed", "no run"
_LONGEST_NAME = 80
_MOST_CHARACTERS = 1_048_576  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_ARN = r"arn:[\w-]+:ecs:[\w-]*:\d*:[\w:/-]+"
_WORDS = len(" failed?")
_START_SECONDS = 300  # for the container, and for pipekit to report that a step timed out


class StepFunctionsOptions(BaseModel):
    """What the state machine needs to know of the account. What is left out is filled in when it is deployed."""

    model_config = ConfigDict(extra="forbid")

    cluster: str = Field("${Cluster}", description="ECS cluster: name or ARN.")
    task_definition: str = Field("${TaskDefinition}", description="ECS task definition: family or ARN.")
    container: str = Field("pipekit", description="The container's name in the task definition.")
    subnets: str = Field("${Subnets}", description="Subnets, separated by commas.")
    security_groups: str = Field("${SecurityGroups}", description="Security groups, separated by commas.")
    public_ip: bool = Field(False, description="Give tasks a public address, as subnets without a NAT gateway need.")
    retries: int = Field(2, ge=0, description="How often a task is started again that did not end by itself.")
    retry_seconds: int = Field(60, ge=1, description="Pause before a task is started again.")
    timeout_seconds: int = Field(21600, ge=60, description="Longest time of a task whose step has no timeout.")
    template: bool = Field(False, description="Write the CloudFormation template that deploys the state machine.")
    schedule: str = Field("", description="With --template: when it runs, such as 'cron(0 6 * * ? *)', in UTC.")
    secret: tuple[str, ...] = Field((), description="With --template: environment variable from the secret's JSON.")


def write(options: StepFunctionsOptions, pipeline: Exported) -> str:
    """The state machine, or with ``template`` all that deploys it, as JSON."""
    if not options.template and (options.schedule or options.secret):
        option = "--schedule" if options.schedule else "--secret"
        text = "a state machine alone has none, its CloudFormation template does"
        raise ExportError(f"{option} needs --template: {text}; add --template, or remove {option}")
    _refuse(options)
    machine = state_machine(options, pipeline)
    if options.template:
        deployed = Deployed(machine, options.container, options.schedule, options.secret)
        # Without spaces: CloudFormation takes 51,200 characters, more only from a bucket.
        return json.dumps(template(deployed, pipeline), separators=(",", ":")) + "\n"
    text = json.dumps(machine, indent=2)
    if len(text) > _MOST_CHARACTERS:
        text = json.dumps(machine, separators=(",", ":"))
    if len(text) > _MOST_CHARACTERS:
        raise ExportError(f"the state machine has {len(text):,} characters, and AWS takes {_MOST_CHARACTERS:,}")
    return text + "\n"


def _refuse(options: StepFunctionsOptions) -> None:
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html, and API_RegisterTaskDefinition
    check_name("--cluster", options.cluster, rf"[A-Za-z0-9_-]{{1,255}}|{_ARN}", "pipelines, or its ARN")
    family = rf"[A-Za-z0-9_-]{{1,255}}(:\d+)?|{_ARN}"
    check_name("--task-definition", options.task_definition, family, "pipekit, pipekit:3, or its ARN")
    check_name("--container", options.container, r"[A-Za-z0-9_-]{1,255}", "pipekit: letters, digits, _ and -")
    check_ids("--subnets", options.subnets, "subnet")
    check_ids("--security-groups", options.security_groups, "sg")
    for variable in options.secret:
        check_name("--secret", variable, r"[A-Za-z_][A-Za-z0-9_]*", "SNOWFLAKE_PASSWORD: the name of a variable")
    if options.schedule:
        check_aws_schedule("--schedule", options.schedule)


def state_machine(options: StepFunctionsOptions, pipeline: Exported) -> dict[str, Any]:
    """Begin; the steps, as sequences and parallel branches; end. A failed step stops those that need it, no others."""
    needs = by_needs(pipeline.steps)
    machine = _Machine(options, pipeline, needs)
    first, steps = machine.chain(nested(needs), _END)
    states = {
        _SETTINGS: machine.settings(),
        **machine.task(_BEGIN, pipeline.begin(), (first, _NOT_BEGUN)),
        **steps,
        **machine.task(_END, pipeline.end(), (_SUCCEEDED, _FAILED)),
        _SUCCEEDED: {"Type": "Succeed"},
        _FAILED: {
            "Type": "Fail",
            "Error": "pipekit.RunFailed",
            "Cause": "See ingestion_logs",
        },
        _NOT_BEGUN: {"Type": "Fail", "Error": "pipekit.NotBegun", "Cause": "No run could be opened"},
    }
    return {"Comment": pipeline.description or pipeline.name, "StartAt": _SETTINGS, "States": states}


class _Machine:
    """The states. No step's name has a space, so none is that of another state."""

    def __init__(self, options: StepFunctionsOptions, pipeline: Exported, needs: Needs) -> None:
        self._options = options
        self._steps = {step.id: step for step in pipeline.steps}
        self._pipeline = pipeline
        self._needs = needs
        self._groups = itertools.count(1)

    def settings(self) -> dict[str, Any]:
        """All that belongs to the account, in one place, and the run's id."""
        at = {
            "cluster": self._options.cluster,
            "task_definition": self._options.task_definition,
            "subnets": self._options.subnets,
            "security_groups": self._options.security_groups,
        }
        values = {"at": at, "run.$": "States.Format('sfn-{}', $$.Execution.Name)", "tries": {"used": 0}}
        return {"Type": "Pass", "Parameters": values, "Next": _BEGIN}

    def chain(self, chain: Chain, after: str | None) -> tuple[str, dict[str, Any]]:
        """The states of parts that follow each other, and the first one's name.

        Args:
            chain: The parts.
            after: The state that follows; ``None`` at the end of a branch.
        """
        states: dict[str, Any] = {}
        following = after
        for position in reversed(range(len(chain.parts))):
            part, rest = chain.parts[position], Chain(chain.parts[position + 1 :]).steps
            if isinstance(part, Parallel):
                name, made = self._side_by_side(part, following)
            else:
                name = _state_name(part)
                # What needs a failed step is not started if nothing else is left; otherwise pipekit skips it itself.
                failed = after if set(rest) <= dependents(self._needs, part) else following
                made = self.task(name, self._pipeline.run(part), (following, failed), self._steps[part])
            states, following = {**made, **states}, name
        return str(following), states

    def _side_by_side(self, group: Parallel, after: str | None) -> tuple[str, dict[str, Any]]:
        name = f"side by side {next(self._groups)}"
        branches = [self.chain(branch, None) for branch in group.branches]
        state = {
            "Type": "Parallel",
            "Branches": [{"StartAt": first, "States": states} for first, states in branches],
            "ResultPath": None,
            **_then(after),
        }
        return name, {name: state}

    def task(
        self, name: str, command: list[str], after: tuple[str | None, str | None], step: ExportedStep | None = None
    ) -> dict[str, Any]:
        """A container, started again where that may help; ``after`` is what follows its success and its failure."""
        succeeded, failed = after
        asks, waits, counts, gives_up = (f"{name} {word}" for word in ("failed?", "pauses", "again", "failed"))
        return {
            name: {
                "Type": "Task",
                **({"Comment": step.description} if step and step.description else {}),
                "Resource": "arn:aws:states:::ecs:runTask.sync",
                "Parameters": self._container(command),
                "TimeoutSeconds": self._timeout(step),
                "ResultSelector": {"used": 0},
                "ResultPath": "$.tries",
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": asks}],
                **_then(succeeded),
            },
            asks: self._decision(waits, gives_up),
            waits: {"Type": "Wait", "Seconds": self._options.retry_seconds, "Next": counts},
            counts: {
                "Type": "Pass",
                "Parameters": {"used.$": "States.MathAdd($.tries.used, 1)"},
                "ResultPath": "$.tries",
                "Next": name,
            },
            gives_up: {"Type": "Pass", "Result": {"used": 0}, "ResultPath": "$.tries", **_then(failed)},
        }

    def _container(self, command: list[str]) -> dict[str, Any]:
        environment = [{"Name": "PIPEKIT_RUN_ID", "Value.$": "$.run"}]
        container = {"Name": self._options.container, "Command": command, "Environment": environment}
        network = {
            "Subnets.$": "States.StringSplit($.at.subnets, ',')",
            "SecurityGroups.$": "States.StringSplit($.at.security_groups, ',')",
            "AssignPublicIp": "ENABLED" if self._options.public_ip else "DISABLED",
        }
        return {
            "Cluster.$": "$.at.cluster",
            "TaskDefinition.$": "$.at.task_definition",
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {"AwsvpcConfiguration": network},
            "Overrides": {"ContainerOverrides": [container]},
        }

    def _decision(self, again: str, gives_up: str) -> dict[str, Any]:
        cause = "$.error.Cause"
        ended = [{"Variable": cause, "StringMatches": f'*"ExitCode":{code},*'} for code in FINAL_EXIT_CODES]
        final = {"And": [{"Variable": cause, "IsPresent": True}, {"Or": ended}], "Next": gives_up}
        tried = {"Variable": "$.tries.used", "NumericGreaterThanEquals": self._options.retries, "Next": gives_up}
        return {"Type": "Choice", "Choices": [final, tried], "Default": again}

    def _timeout(self, step: ExportedStep | None) -> int:
        if step is None or step.timeout is None:
            return self._options.timeout_seconds
        return math.ceil(step.timeout * (step.retries + 1)) + WAIT_SECONDS + _START_SECONDS


def _then(state: str | None) -> dict[str, Any]:
    return {"End": True} if state is None else {"Next": state}


def _state_name(step: str) -> str:
    if len(step) <= _LONGEST_NAME - _WORDS:
        return step
    return f"{step[: _LONGEST_NAME - _WORDS - 9]}~{hashlib.sha256(step.encode()).hexdigest()[:8]}"


STEP_FUNCTIONS: Exporter[StepFunctionsOptions] = Exporter(
    name="stepfunctions",
    summary="Write SPEC as a state machine of AWS Step Functions, or the template that deploys it.",
    options=StepFunctionsOptions,
    write=write,
)
