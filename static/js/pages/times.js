// Times on every page.

import { showOwnZone } from "../lib/moments.js";

showOwnZone(document);
