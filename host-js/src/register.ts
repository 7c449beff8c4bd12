/** `--import openinference-mlflow/register` and `--require openinference-mlflow/register`: settings by environment. */

import { autolog } from "./core.js";

autolog();
