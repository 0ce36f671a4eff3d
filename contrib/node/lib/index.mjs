/* index - the same for `import`. */
/* SPDX-License-Identifier: MPL-2.0 */
import metlog from './index.js';

export const { createClient, json, severities, version, MetlogError } = metlog;
export default metlog;
