// Package vital_test holds the architecture to its word: which package may know which, and who may
// reach the database, the environment and the process.
package vital_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/vital-db/vital"

// layers is the table of docs/explanation/architecture.md. A package imports only from layers below
// its own; packages of one layer do not know each other.
var layers = map[string]int{
	"cmd/vital":            7,
	"internal/cli":         6,
	"internal/httpapi":     5,
	"internal/jobs":        5,
	"internal/traffic":     5,
	"internal/report":      4,
	"internal/tracing":     4,
	"internal/population":  4,
	"internal/tenant":      3,
	"internal/rest":        3,
	"internal/signin":      3,
	"internal/schema":      3,
	"internal/isolation":   3,
	"internal/consistency": 3,
	"internal/archive":     3,
	"internal/erasure":     3,
	"internal/perf":        3,
	"internal/postgres":    2,
	"internal/cache":       2,
	"internal/localpg":     2,
	"internal/fault":       0, // the errors everybody speaks
	"internal/bounded":     0,
	"internal/envelope":    1,
	"internal/identity":    1,
	"internal/feature":     1,
	"internal/fair":        1,
	"database":             1,
	"console":              1,
}

// outside are packages that measure or test the product and may know any of it; nothing shipped may
// import them.
var outside = []string{"bench", "deploy", "internal/pgtest", "internal/coherence"}

type goPackage struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...").Output()
	require.NoError(t, err)
	var found []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if err == io.EOF {
			return found
		}
		require.NoError(t, err)
		found = append(found, p)
	}
}

func name(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

func isOutside(pkg string) bool {
	return slices.ContainsFunc(outside, func(o string) bool { return pkg == o || strings.HasPrefix(pkg, o+"/") })
}

func TestArchitecture_ImportsGoDown(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		pkg, ours := name(p.ImportPath)
		if !ours || isOutside(pkg) {
			continue
		}
		layer, listed := layers[pkg]
		require.True(t, listed, "%s is in no layer: give it one in architecture_test.go and in docs/explanation/architecture.md", pkg)
		for _, imported := range p.Imports {
			below, ours := name(imported)
			if !ours {
				continue
			}
			require.False(t, isOutside(below), "%s imports %s, which is for tests and measurements only", pkg, below)
			require.Less(t, layers[below], layer, "%s (layer %d) imports %s (layer %d): imports go down only", pkg, layer, below, layers[below])
		}
	}
}

// reach says which packages may import something powerful, and why nobody else may. A name that ends in / is everything below it.
var reach = []struct {
	imported string
	by       []string
	reason   string
}{
	{"github.com/jackc/pgx/v5/pgxpool", []string{"internal/postgres"},
		"every query of a tenant goes through postgres.InTenant; a second pool would be a second way"},
	{"database/sql", []string{"internal/schema"},
		"only the migrations library speaks it; queries go through internal/postgres"},
	{"github.com/redis/rueidis", []string{"internal/cache"},
		"what Redis has is validated, leased and evicted in one place; a second way in would be a second rule"},
	{"go.opentelemetry.io/", []string{"internal/tracing"},
		"what a span says is decided in one place, where it is read that nothing secret is in it; a second would be a second rule"},
	{"flag", nil, "cli reads flags, with pflag"},
	{"log", nil, "log/slog is the log"},
	{"unsafe", nil, "nothing here is worth it"},
	{"github.com/spf13/cobra", []string{"internal/cli"}, "cli is the only reader of arguments"},
	{"github.com/caarlos0/env/v11", []string{"internal/cli"}, "cli is the only reader of the environment"},
	{"net/http", []string{"internal/httpapi", "internal/cli", "internal/identity", "internal/isolation", "internal/tracing", "console"},
		"layers below HTTP know nothing of it; identity fetches key sets, isolation attacks a server as a client, tracing reads and writes traceparent, console serves files"},
}

func TestArchitecture_Reach(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		pkg, ours := name(p.ImportPath)
		if !ours || isOutside(pkg) {
			continue
		}
		for _, r := range reach {
			if slices.ContainsFunc(p.Imports, func(imported string) bool {
				return imported == r.imported || strings.HasSuffix(r.imported, "/") && strings.HasPrefix(imported, r.imported)
			}) {
				require.Contains(t, r.by, pkg, "%s imports %s: %s", pkg, r.imported, r.reason)
			}
		}
	}
}

// calls says who may call what opens a door; everything else is found by name in the source.
var calls = []struct {
	call   string
	by     []string
	reason string
}{
	{"pgx.Connect", []string{"internal/cli", "internal/schema", "internal/localpg"},
		"a serving path has only postgres.InTenant and AsService; operators' tools connect by themselves"},
	{"pgconn.Connect", nil, "there is one way to connect"},
	{"os.Getenv", []string{"internal/cli", "internal/localpg"}, "only cli reads settings; localpg looks programs up in PATH"},
	{"os.LookupEnv", []string{"internal/cli"}, "only cli reads the environment"},
	{"os.Exit", []string{"cmd/vital"}, "a command returns an error, main turns it into an exit code"},
}

func TestArchitecture_Calls(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		pkg, ours := name(p.ImportPath)
		if !ours || isOutside(pkg) {
			continue
		}
		for _, file := range p.GoFiles {
			for _, found := range callsIn(t, filepath.Join(p.Dir, file)) {
				for _, c := range calls {
					if found == c.call {
						require.Contains(t, c.by, pkg, "%s/%s calls %s: %s", pkg, file, c.call, c.reason)
					}
				}
			}
		}
	}
}

func callsIn(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
				if pkg, ok := selector.X.(*ast.Ident); ok {
					found = append(found, pkg.Name+"."+selector.Sel.Name)
				}
			}
		}
		return true
	})
	return found
}

// TestArchitecture_PoolStaysInside makes sure that the tenant pool cannot be had from outside
// internal/postgres: no exported field or function hands it out.
func TestArchitecture_PoolStaysInside(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if pkg, _ := name(p.ImportPath); pkg != "internal/postgres" {
			continue
		}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, 0)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Field:
					for _, id := range n.Names {
						require.False(t, id.IsExported() && mentionsPool(n.Type), "%s: exported field %s is a pool", file, id.Name)
					}
				case *ast.FuncDecl:
					if n.Name.IsExported() && n.Type.Results != nil {
						for _, result := range n.Type.Results.List {
							require.False(t, mentionsPool(result.Type), "%s: %s returns a pool or its connection", file, n.Name.Name)
						}
					}
				}
				return true
			})
		}
	}
}

func mentionsPool(expression ast.Expr) bool {
	found := false
	ast.Inspect(expression, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "pgxpool" {
			found = true
		}
		return true
	})
	return found
}

// TestArchitecture_SQLInFiles keeps statements out of Go strings: SQL is read and reviewed as SQL.
func TestArchitecture_SQLInFiles(t *testing.T) {
	t.Parallel()
	verbs := []string{"select ", "insert into ", "update ", "delete from ", "with "}
	for _, p := range packages(t) {
		pkg, ours := name(p.ImportPath)
		if !ours || isOutside(pkg) {
			continue
		}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, 0)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text := strings.ToLower(strings.Trim(literal.Value, "`\" \n\t"))
				for _, verb := range verbs {
					require.False(t, strings.HasPrefix(text, verb) && strings.Contains(text, " from ") || strings.HasPrefix(text, "insert into "),
						"%s/%s holds SQL in a string: %s", pkg, file, literal.Value)
				}
				return true
			})
		}
	}
}

// TestArchitecture_FilesStayReadable holds the length budgets: a file of 500 lines and a function of 60
// unless a comment says why not.
func TestArchitecture_FilesStayReadable(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git") {
			if err == nil {
				return filepath.SkipDir
			}
			return err
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		require.NoError(t, err)
		require.LessOrEqual(t, set.File(parsed.Pos()).LineCount(), 500, "%s is longer than 500 lines", path)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line
				require.LessOrEqual(t, lines, 60, "%s: %s is longer than 60 lines", path, f.Name.Name)
			}
		}
		return nil
	})
	require.NoError(t, err)
}
