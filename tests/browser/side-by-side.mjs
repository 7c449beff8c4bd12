/** `npm run side-by-side`: writes the tables of `translator/README.md` anew. */

import { measure } from "./comparison/measure.mjs";
import { PAGE, rewrite, tables } from "./comparison/page.mjs";
import { Looker } from "./looker.mjs";

const looker = await Looker.start();
try {
  rewrite(tables(await measure(looker)));
  console.log(`wrote the tables of ${PAGE}`);
} finally {
  await looker.stop();
}
