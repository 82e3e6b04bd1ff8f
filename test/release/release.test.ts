// In one file, because files are run in processes of their own: the release that all of them look at is made once.
/* oxlint-disable import/no-unassigned-import -- each says its tests */
import "./build-suite.ts";
import "./install-suite.ts";
import "./own-release-suite.ts";
