// A webhook handler as people write it for Node: it verifies the raw body with
// Svix's own library, which shares no code with the Go one, and answers 204 or
// 400. It prints its port, then a line for each request. The packages are those
// of the receiver's tests: argument 1 is their folder, argument 2 the secret.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { Webhook } = createRequire(process.argv[2] + "/")("svix");
const webhook = new Webhook(process.argv[3]);

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const id = request.headers["svix-id"] ?? request.headers["webhook-id"];
    let error = "";
    try {
      webhook.verify(Buffer.concat(chunks), request.headers);
    } catch (e) {
      error = e.message;
    }
    response.writeHead(error === "" ? 204 : 400, { "content-type": "text/plain" });
    response.end(error);
    console.log(JSON.stringify({ id, error }));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
