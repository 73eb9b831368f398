// Signs and verifies with Svix's own library for Node, which shares no code
// with the Go one. One JSON object a line in, one out:
//   {"secret","id","seconds","body"}              -> {"signature"}
//   {"secret","id","seconds","body","signature"}  -> {"ok","error"}
import { createInterface } from "node:readline";
import { Webhook } from "svix";

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, id, seconds, body, signature } = JSON.parse(line);
  const webhook = new Webhook(secret);
  let out;
  if (signature === undefined) {
    out = { signature: webhook.sign(id, new Date(seconds * 1000), body) };
  } else {
    try {
      webhook.verify(body, {
        "svix-id": id,
        "svix-timestamp": String(seconds),
        "svix-signature": signature,
      });
      out = { ok: true, error: "" };
    } catch (error) {
      out = { ok: false, error: error.message };
    }
  }
  process.stdout.write(JSON.stringify(out) + "\n");
}
