// Captures COUNT events with posthog-node as its users do, and prints the uuid of each.
// node send.mjs API KEY COUNT

import { randomUUID } from "node:crypto";
import { PostHog } from "posthog-node";

const [api, key, count] = process.argv.slice(2);
// The queue holds 1,000 events unless told otherwise, and drops the oldest beyond that.
const client = new PostHog(key, { host: api, maxQueueSize: 10_000 });
client.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});

for (let i = 0; i < Number(count); i++) {
  const uuid = randomUUID();
  client.capture({
    uuid,
    distinctId: `user-${i % 100}`,
    event: "order placed",
    properties: { amount: i, city: "Zürich" },
  });
  console.log(uuid);
}
await client.shutdown(60_000);
