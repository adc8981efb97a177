package localpg

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/vital-db/vital/internal/fault"
)

// account is the unprivileged user the server runs as when we are root; PostgreSQL refuses to be.
type account struct {
	name     string
	uid, gid uint32
}

// chooseAccount returns nil when we are not root: the server then runs as ourselves. An existing
// cluster is served by its owner, else the account is postgres, or nobody where there is none.
func chooseAccount(cluster string, clusterExists bool) (*account, error) {
	info, err := os.Stat(cluster)
	if clusterExists && err != nil {
		return nil, unusable(err, "open", cluster)
	}
	if us := os.Geteuid(); us != 0 {
		if clusterExists && ownerOf(info) != us {
			return nil, fault.New(fault.DataDirUnusable,
				fmt.Sprintf("The database cluster %s belongs to another user (uid %d).", cluster, ownerOf(info)),
				"Run as that user or as root. "+otherDirHint)
		}
		return nil, nil
	}
	if clusterExists {
		return clusterAccount(cluster, ownerOf(info))
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return newAccount(u)
		}
	}
	return nil, fault.New(fault.DataDirUnusable,
		"PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody.",
		"Run as an ordinary user, or create a user named postgres.")
}

func clusterAccount(cluster string, uid int) (*account, error) {
	if uid == 0 {
		return nil, fault.New(fault.DataDirUnusable,
			fmt.Sprintf("The database cluster %s belongs to root, and PostgreSQL does not run as root.", cluster),
			"Give it to the user who is to run the server: chown -R postgres "+cluster+".")
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		// A user without an entry in passwd is as good: containers have them.
		return &account{name: strconv.Itoa(uid), uid: uint32(uid), gid: uint32(uid)}, nil //nolint:nilerr // see above
	}
	return newAccount(u)
}

func newAccount(u *user.User) (*account, error) {
	// Signed, because some systems write the user nobody as -2.
	uid, err := strconv.ParseInt(u.Uid, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("parse uid of %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseInt(u.Gid, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("parse gid of %s: %w", u.Username, err)
	}
	return &account{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

// mayEnter reports whether the mode of a directory lets the account through.
func (a *account) mayEnter(dir fs.FileInfo) bool {
	stat, ok := dir.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	var execute fs.FileMode = 0o001
	switch {
	case stat.Uid == a.uid:
		execute = 0o100
	case stat.Gid == a.gid:
		execute = 0o010
	}
	return dir.Mode().Perm()&execute != 0
}

// give makes the account the owner of path; without an account it stays ours.
func (a *account) give(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return unusable(err, "give "+a.name, path)
	}
	return nil
}

// ownerOf is the uid of a file's owner, -1 where the system does not tell.
func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}
