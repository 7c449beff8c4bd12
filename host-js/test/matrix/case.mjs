import scenario from "./scenario.cjs";

await scenario.run((name) => import(name));
