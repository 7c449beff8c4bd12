"""Something that speaks S3's protocol, on loopback: moto, with its objects in memory."""

import sys
from pathlib import Path

import boto3

from e2e.harness.environment import clean_environment
from e2e.harness.http_server_process import HttpServerProcess
from e2e.harness.ports import free_ports

BUCKET = "mlflow"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests-only",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class ObjectStore(HttpServerProcess):
    """A store with one bucket."""

    name = "moto"
    health_path = "/moto-api/data.json"
    start_timeout_s = 60.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, *free_ports(1))

    def start(self) -> "ObjectStore":
        super().start()
        self._client().create_bucket(Bucket=BUCKET)
        return self

    def contents(self) -> dict[str, bytes]:
        """Each object by its key."""
        client = self._client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def _client(self):  # noqa: ANN202
        return boto3.client(
            "s3",
            endpoint_url=self.uri,
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(self.port)]

    def _environment(self) -> dict[str, str]:
        return clean_environment()
