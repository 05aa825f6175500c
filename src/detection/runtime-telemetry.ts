/**
 * onnxruntime (1.30) reports its use to a server of its maker's, and writes a log of that into the temporary folder, unless
 * this variable is set before it is loaded. Imported by whoever loads it, and by whoever starts a thread that does: the
 * environment of a thread is a copy, which the runtime does not see.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
