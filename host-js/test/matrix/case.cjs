const { run } = require("./scenario.cjs");

run(async (name) => require(name));
