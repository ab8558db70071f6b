"""Sends, receives and deletes one message. AWS_ENDPOINT_URL is all that it is told."""

import json

import boto3

sqs = boto3.client("sqs")
url = sqs.create_queue(QueueName="boto3")["QueueUrl"]
attribute = {"DataType": "String", "StringValue": "mühle"}
sqs.send_message(QueueUrl=url, MessageBody="grüße", MessageAttributes={"a": attribute})
message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])["Messages"][0]
sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
refusal = None
try:
    sqs.send_message(QueueUrl=url + "-not", MessageBody="m")
except sqs.exceptions.QueueDoesNotExist as error:
    refusal = type(error).__name__
print(json.dumps({"body": message["Body"], "attribute": message["MessageAttributes"]["a"]["StringValue"], "refusal": refusal}, ensure_ascii=False))
