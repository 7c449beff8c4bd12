/** A server as a process of its own, on loopback: started, waited for, and stopped by its process id. */

import { spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** The first start makes a database's tables and imports much; two busy cores need most of this. */
const START_MILLIS = 180_000;

/** Where it runs, what it is called, and where it says that it is there. Its output goes to a log in the folder. */
export async function startProcess({ command, args, env, folder, health }) {
  const log = join(folder, "server.log");
  const output = openSync(log, "a");
  const child = spawn(command, args, {
    cwd: folder,
    // A group of its own, so that stopping it stops its workers.
    detached: true,
    stdio: ["ignore", output, output],
    env: { ...process.env, ...env },
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGTERM");
    await closed;
  };
  const deadline = Date.now() + START_MILLIS;
  while (!(await answers(health))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || Date.now() > deadline) {
      await stop();
      throw new Error(`${command} did not start:\n${readFileSync(log, "utf8").slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { stop };
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** So many different ports that nothing listens on. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Asks until there is something truthy, within a limit. */
export async function eventually(probe, what, limitMillis = 30_000) {
  const deadline = Date.now() + limitMillis;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${limitMillis} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
