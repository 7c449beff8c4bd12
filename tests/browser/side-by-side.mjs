/** `npm run side-by-side`: writes the tables of `translator/README.md` anew. */

import { measure } from "./comparison/measure.mjs";
import { PAGE, rewrite, tables } from "./comparison/page.mjs";
import { UiSession } from "./ui-session.mjs";

const session = await UiSession.start();
try {
  rewrite(tables(await measure(session)));
  console.log(`wrote the tables of ${PAGE}`);
} finally {
  await session.stop();
}
