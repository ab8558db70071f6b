"""Puts, lists, gets and deletes objects, a large one in parts. AWS_ENDPOINT_URL is all that it is told."""

import io
import json

import boto3
import botocore.exceptions
from boto3.s3.transfer import TransferConfig

s3 = boto3.client("s3")
s3.put_object(Bucket="claims", Key="grüße/1.json", Body=b'{"a":1}', Metadata={"tenant": "acme"}, ContentType="application/json")
large = bytes(range(256)) * 48 * 1024
s3.upload_fileobj(io.BytesIO(large), "claims", "large", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
keys = [entry["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="claims", PaginationConfig={"PageSize": 1}) for entry in page["Contents"]]
got = s3.get_object(Bucket="claims", Key="grüße/1.json")
tenant = s3.head_object(Bucket="claims", Key="grüße/1.json")["Metadata"]["tenant"]
same = s3.get_object(Bucket="claims", Key="large")["Body"].read() == large
s3.delete_objects(Bucket="claims", Delete={"Objects": [{"Key": key} for key in keys]})
refusal = None
try:
    s3.get_object(Bucket="claims", Key="large")
except botocore.exceptions.ClientError as error:
    refusal = error.response["Error"]["Code"]
print(json.dumps({"keys": keys, "body": got["Body"].read().decode(), "tenant": got["Metadata"]["tenant"] + tenant, "same": same, "refusal": refusal}))
