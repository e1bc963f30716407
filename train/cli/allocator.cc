// How jemalloc is to behave; it reads this name before main. A step frees what the next one takes again, so nothing
// goes back to the system, in huge pages; and big tensors are no exception (they would be: above 8 MiB jemalloc has an
// arena that gives all back at once). With memory given back after a minute a sixth of the processor cleared new pages.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always";
}
