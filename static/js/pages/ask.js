// The page on which all meetings are asked.

import { pageData } from "../lib/dom.js";
import { Asking } from "../minutes/asking.js";

new Asking({ askUrl: pageData().askUrl });
