"""What LocalStack calls: its RuntimeExecutor, with an Environment behind it."""

import os

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from .environment import Environment

LOOPBACK = "127.0.0.1"


class ProcessExecutor(RuntimeExecutor):
    """One execution environment of LocalStack, as a process. The architecture that the
    function declares is not looked at: the asset runs here or fails to start."""

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self._environment = None
        self._logs = ""

    def start(self, env_vars):
        version = self.function_version.config
        self._environment = Environment(version.code.get_unzipped_code_location(), env_vars, float(version.timeout))
        self._environment.start()

    def stop(self):
        if self._environment is not None:
            self._environment.stop()

    def invoke(self, payload):
        outcome, self._logs = self._environment.invoke(
            payload["invoke-id"], payload["payload"].encode(), payload["invoked-function-arn"], payload.get("trace-id") or ""
        )
        return InvocationResult(payload["invoke-id"], outcome.body, outcome.is_error, self._logs)

    def get_logs(self):
        return self._logs

    def get_address(self):
        return LOOPBACK

    def get_endpoint_from_executor(self):
        return LOOPBACK

    def get_runtime_endpoint(self):
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version):
        code = function_version.config.code
        code.prepare_for_execution()
        os.chmod(os.path.join(str(code.get_unzipped_code_location()), "bootstrap"), 0o755)

    @classmethod
    def cleanup_version(cls, function_version):
        """Removes nothing: LocalStack removes the code with the version."""


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen with LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *args, **kwargs):
        return ProcessExecutor
