/**
 * Keeps a capturing process to loopback. Imported before any instrumented package: settings of the shell that would
 * steer a client are gone, and a socket that is to leave this machine fails.
 */

import net from "node:net";

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const FOREIGN_SETTINGS = /^(ANTHROPIC|AWS|LANGCHAIN|LANGSMITH|OPENAI|OPENINFERENCE|OTEL|PHOENIX|VERCEL)_/;
const PROXIES = /^(https?|all)_proxy$/i;

for (const key of Object.keys(process.env)) {
  if (FOREIGN_SETTINGS.test(key) || PROXIES.test(key)) delete process.env[key];
}
Object.assign(process.env, {
  DO_NOT_TRACK: "1",
  AWS_EC2_METADATA_DISABLED: "true",
  LANGCHAIN_TRACING_V2: "false",
  LANGSMITH_TRACING: "false",
});

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  // Node hands its own callers' arguments on as one normalized array.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  const host = typeof options === "object" ? (options.path ? "localhost" : (options.host ?? "localhost")) : args[1];
  if (!LOOPBACK.has(host ?? "localhost")) throw new Error(`a capture stays on this machine, but ${host} was asked for`);
  return connect.apply(this, args);
};
