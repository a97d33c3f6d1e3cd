"""The CloudFormation template of a state machine: the machine, its log, its role, the task definition, a schedule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipekit.export.contract import Exported

_PARAMETERS: dict[str, tuple[str, str, str | None]] = {
    "Image": ("String", "The container image, with pipekit, the project, and pipekit as its entry point.", None),
    "Cluster": ("String", "The ECS cluster.", None),
    "Subnets": ("List<AWS::EC2::Subnet::Id>", "Where the tasks run.", None),
    "SecurityGroups": ("List<AWS::EC2::SecurityGroup::Id>", "What the tasks may reach.", None),
    "TaskPolicies": ("CommaDelimitedList", "Policies of the tasks, such as one that reads the bucket.", None),
    "Cpu": ("String", "CPU units of a task.", "1024"),
    "Memory": ("String", "Memory of a task, in MB.", "4096"),
}
_SECRET = {"Type": "String", "Description": "ARN of the secret whose JSON holds the environment variables."}


@dataclass(frozen=True)
class Deployed:
    """What a template deploys.

    Attributes:
        machine: The state machine.
        container: The container's name.
        schedule: When it runs, as EventBridge Scheduler writes it; empty for never.
        secrets: Environment variables that the secret holds.
    """

    machine: dict[str, Any]
    container: str
    schedule: str
    secrets: Sequence[str]


def template(deployed: Deployed, pipeline: Exported) -> dict[str, Any]:
    """The template, as JSON values."""
    parameters = {
        name: {"Type": kind, "Description": text, **({"Default": default} if default else {})}
        for name, (kind, text, default) in _PARAMETERS.items()
    }
    if deployed.secrets:
        parameters["Secret"] = _SECRET
    resources = {
        "Log": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"RetentionInDays": 30},
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
        },
        "ExecutionRole": _execution_role(deployed),
        "TaskRole": _role("ecs-tasks.amazonaws.com", ManagedPolicyArns={"Ref": "TaskPolicies"}),
        "TaskDefinition": _task_definition(deployed, pipeline),
        "StateMachineRole": _role("states.amazonaws.com", Policies=[_policy("tasks", _TASKS)]),
        "StateMachine": _state_machine(deployed),
    }
    if deployed.schedule:
        start = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": {"Ref": "StateMachine"}}
        resources["ScheduleRole"] = _role("scheduler.amazonaws.com", Policies=[_policy("start", [start])])
        resources["Schedule"] = _schedule(deployed.schedule)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The pipeline {pipeline.name} as a state machine",
        "Parameters": parameters,
        "Resources": resources,
        "Outputs": {"StateMachine": {"Value": {"Ref": "StateMachine"}}},
    }


def _state_machine(deployed: Deployed) -> dict[str, Any]:
    values = {
        "Cluster": {"Ref": "Cluster"},
        "TaskDefinition": {"Ref": "TaskDefinition"},
        "Subnets": {"Fn::Join": [",", {"Ref": "Subnets"}]},
        "SecurityGroups": {"Fn::Join": [",", {"Ref": "SecurityGroups"}]},
    }
    text = json.dumps(deployed.machine)
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": {"Fn::GetAtt": ["StateMachineRole", "Arn"]},
            "Definition": deployed.machine,
            "DefinitionSubstitutions": {name: value for name, value in values.items() if f"${{{name}}}" in text},
        },
    }


def _task_definition(deployed: Deployed, pipeline: Exported) -> dict[str, Any]:
    log = {
        "awslogs-group": {"Ref": "Log"},
        "awslogs-region": {"Ref": "AWS::Region"},
        "awslogs-stream-prefix": pipeline.name,
    }
    container: dict[str, Any] = {
        "Name": deployed.container,
        "Image": {"Ref": "Image"},
        "Essential": True,
        "LogConfiguration": {"LogDriver": "awslogs", "Options": log},
    }
    if deployed.secrets:
        container["Secrets"] = [
            {"Name": name, "ValueFrom": {"Fn::Sub": f"${{Secret}}:{name}::"}} for name in deployed.secrets
        ]
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": {"Ref": "Cpu"},
            "Memory": {"Ref": "Memory"},
            "ExecutionRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
            "TaskRoleArn": {"Fn::GetAtt": ["TaskRole", "Arn"]},
            "ContainerDefinitions": [container],
        },
    }


def _execution_role(deployed: Deployed) -> dict[str, Any]:
    arn = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}}
    more = {"Policies": [_policy("secret", [read])]} if deployed.secrets else {}
    return _role("ecs-tasks.amazonaws.com", ManagedPolicyArns=[arn], **more)


def _schedule(expression: str) -> dict[str, Any]:
    target = {"Arn": {"Ref": "StateMachine"}, "RoleArn": {"Fn::GetAtt": ["ScheduleRole", "Arn"]}}
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "Target": target,
        },
    }


# What a machine needs that waits for its tasks:
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
_TASKS: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": {"Ref": "TaskDefinition"}},
    {"Effect": "Allow", "Action": ["ecs:StopTask", "ecs:DescribeTasks"], "Resource": "*"},
    {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": [{"Fn::GetAtt": ["ExecutionRole", "Arn"]}, {"Fn::GetAtt": ["TaskRole", "Arn"]}],
    },
    {
        "Effect": "Allow",
        "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        "Resource": {
            "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}"
            ":rule/StepFunctionsGetEventsForECSTaskRule"
        },
    },
]


def _policy(name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _role(service: str, **properties: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document, **properties}}
