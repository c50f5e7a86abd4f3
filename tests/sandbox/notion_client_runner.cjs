// Runs steps with the published @notionhq/client: reads {address, token, version, steps} from stdin, writes the answers.
// A step is {name, method, arguments}; `$name.path` in the arguments is a part of an earlier answer.
const { Client } = require("@notionhq/client");

function part(answers, path) {
  return path.split(".").reduce((value, key) => value[key], answers);
}

function filled(answers, value) {
  if (typeof value === "string") {
    return value.startsWith("$") ? part(answers, value.slice(1)) : value;
  }
  if (Array.isArray(value)) {
    return value.map((each) => filled(answers, each));
  }
  if (value !== null && typeof value === "object") {
    const pairs = Object.entries(value);
    return Object.fromEntries(pairs.map(([key, each]) => [key, filled(answers, each)]));
  }
  return value;
}

function camel(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

function methods(node, path) {
  return Object.entries(node).flatMap(([key, value]) => {
    if (typeof value === "function") {
      return [[...path, key].join(".")];
    }
    const isGroup = value !== null && typeof value === "object" && value.constructor === Object;
    return isGroup ? methods(value, [...path, key]) : [];
  });
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
  }
  const order = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const client = new Client({
    auth: order.token,
    baseUrl: order.address,
    notionVersion: order.version,
    retry: false,
  });
  const answers = {};
  for (const step of order.steps) {
    const path = camel(step.method).split(".");
    const name = path.pop();
    const owner = path.reduce((node, key) => node[key], client);
    const given = filled(answers, step.arguments);
    if (given.file) {
      given.file = { filename: given.file[0], data: new Blob([given.file[1]], { type: given.file[2] }) };
    }
    try {
      answers[step.name] = await owner[name](given);
    } catch (error) {
      answers[step.name] = { error: String(error.code || error.message || error) };
    }
  }
  process.stdout.write(JSON.stringify({ answers, methods: methods(client, []) }));
}

main();
