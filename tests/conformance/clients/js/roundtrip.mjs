// Sends, receives and deletes one message. AWS_ENDPOINT_URL is all that it is told.
import {
  CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient,
} from "@aws-sdk/client-sqs";

const client = new SQSClient({});
const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "js" }));
const attribute = { DataType: "String", StringValue: "mühle" };
await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "grüße", MessageAttributes: { a: attribute } }));
const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ["All"] }));
await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
let refusal;
try {
  await client.send(new SendMessageCommand({ QueueUrl: QueueUrl + "-not", MessageBody: "m" }));
} catch (error) {
  refusal = error.name;
}
console.log(JSON.stringify({ body: Messages[0].Body, attribute: Messages[0].MessageAttributes.a.StringValue, refusal }));
