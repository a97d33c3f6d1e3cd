"""Step Functions and ECS without an account: moto interprets the state machine, and a host runs its containers' commands.

Where moto does not do what AWS does, it is set right here:

- Parameters of ECS are in PascalCase in a state machine and in camelCase in its API; moto leaves them as they are.
- ``.sync`` fails with ``States.TaskFailed`` if a container ends with another exit code than 0, and the cause is the task
  as JSON without spaces (https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html); moto lets its
  tasks stop by themselves, and takes each for a success.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen

from projects import environment

REGION = "eu-west-1"


class Host:
    """What ECS does with containers: each task's command is run as a process of ``pipekit`` in a project's folder.

    Args:
        folder: The project.
        ecs: A client.
        kill: How often the process of a step is to be killed when it has just started.
    """

    def __init__(self, folder: Path, ecs: Any, kill: Mapping[str, int]) -> None:
        self.started: list[str] = []
        self.exit_codes: dict[str, int] = {}
        self._folder, self._ecs = folder, ecs
        self._kill = dict(kill)
        self._seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            for arn in set(self._ecs.list_tasks(cluster="local")["taskArns"]) - self._seen:
                self._seen.add(arn)
                threading.Thread(target=self._run, args=(arn,), daemon=True).start()

    def _run(self, arn: str) -> None:
        task = self._ecs.describe_tasks(cluster="local", tasks=[arn])["tasks"][0]
        container = task["overrides"]["containerOverrides"][0]
        given = {each["name"]: each["value"] for each in container["environment"]}
        command = [str(Path(sys.executable).with_name("pipekit")), *container["command"]]
        name = container["command"][container["command"].index("--step") + 1] if "--step" in command else command[1]
        self.started.append(name)
        process = subprocess.Popen(
            command, cwd=self._folder, env=environment(**given), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        if self._kill.get(name, 0):
            self._kill[name] -= 1
            process.kill()
        code = process.wait()
        self.exit_codes[arn] = code if code >= 0 else 128 - code


@contextmanager
def step_functions(folder: Path, kill: Mapping[str, int]) -> Iterator[tuple[Any, Host, dict[str, str]]]:
    """A client of Step Functions, the host, and what a state machine needs to know of the account."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    account = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": REGION}
    with patch.dict(os.environ, account, MOTO_PORT=str(port)), ExitStack() as stack:  # the interpreter calls this port
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
        server.start()
        stack.callback(server.stop)
        ecs, machines, given = _account(f"http://127.0.0.1:{port}")
        host = Host(folder, ecs, kill)
        stack.callback(host.close)
        _as_on_aws(host)
        yield machines, host, given


def _account(url: str) -> tuple[Any, Any, dict[str, str]]:
    """Clients of ECS and Step Functions, and what a state machine needs to know: all in place, as in an account."""
    import boto3

    setting = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    urlopen(Request(f"{url}/moto-api/config", setting, {"Content-Type": "application/json"}, method="POST"))
    ecs, machines, ec2 = (boto3.client(name, endpoint_url=url) for name in ("ecs", "stepfunctions", "ec2"))
    ecs.create_cluster(clusterName="local")
    ecs.register_task_definition(
        family="pipekit",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "pipekit", "image": "pipekit", "essential": True, "memory": 256}],
    )
    subnets = ",".join(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2])
    given = {"cluster": "local", "task_definition": "pipekit", "subnets": subnets, "security_groups": "sg-1"}
    return ecs, machines, given


def _as_on_aws(host: Host) -> None:
    import botocore.session
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
        StateTaskServiceEcs,
    )

    models = botocore.session.get_session()

    def shape(self: Any, service: str | None, action: str | None) -> Any:
        name = "".join(part.title() for part in action.split("_")) if action else self.resource.api_action
        model = models.get_service_model(self._get_boto_service_name(service))
        return model.operation_model(name[0].upper() + name[1:])

    def parameters(
        self: Any, parameters: dict[str, Any], boto_service_name: Any = None, service_action_name: Any = None
    ) -> None:
        self._to_boto_request(parameters, shape(self, boto_service_name, service_action_name).input_shape)

    def response(self: Any, response: Any, boto_service_name: Any = None, service_action_name: Any = None) -> None:
        self._from_boto_response(response, shape(self, boto_service_name, service_action_name).output_shape)

    StateTaskService._normalise_parameters = parameters
    StateTaskService._normalise_response = response
    StateTaskServiceEcs._build_sync_resolver = _resolver(host)


def _resolver(host: Host) -> Any:
    from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    def build(self: Any, env: Any, **given: Any) -> Any:
        task = env.stack.pop()["Tasks"][0]["TaskArn"]

        def as_on_aws() -> Any:
            code = host.exit_codes.get(task)
            if not code:
                return None if code is None else {"TaskArn": task}
            # The order of the fields is that of AWS, by the alphabet.
            container = {"ContainerArn": "c", "ExitCode": code, "LastStatus": "STOPPED", "Name": "pipekit"}
            cause = json.dumps({"ClusterArn": "c", "Containers": [container]}, separators=(",", ":"))
            failed = TaskFailedEventDetails(error="States.TaskFailed", cause=cause, resource="", resourceType="ecs")
            name = StatesErrorName(StatesErrorNameType.StatesTaskFailed)
            details = EventDetails(taskFailedEventDetails=failed)
            raise FailureEventException(FailureEvent(env, name, HistoryEventType.TaskFailed, details))

        return as_on_aws

    return build


def execute(machines: Any, definition: str, seconds: float = 300) -> tuple[str, dict[str, Any]]:
    """Run a state machine to its end: its status, and the description of the execution."""
    role = "arn:aws:iam::123456789012:role/x"
    arn = machines.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    run = machines.start_execution(stateMachineArn=arn, input="{}", name="once")["executionArn"]
    until = time.monotonic() + seconds
    while (found := machines.describe_execution(executionArn=run))["status"] == "RUNNING" and time.monotonic() < until:
        time.sleep(0.2)
    return found["status"], found
