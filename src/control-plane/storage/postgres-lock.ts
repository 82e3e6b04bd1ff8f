/** Waits until no other server writes or migrates; held until the transaction ends. The number spells "waybill". */
export const WRITE_LOCK = "SELECT pg_advisory_xact_lock(33602696198581356)";
