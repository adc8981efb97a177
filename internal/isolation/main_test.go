package isolation_test

import (
	"flag"
	"runtime"
	"strconv"
	"testing"

	"github.com/vital-db/vital/internal/pgtest"
)

// TestMain lets more tests run at once than there are processors: many of them wait, for a token to grow old or a stream
// to end.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))) // -parallel outranks it
	pgtest.Main(m)
}
