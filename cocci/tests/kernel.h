/* SPDX-License-Identifier: GPL-2.0 */
/* As much of a kernel as the fixtures need to pass gcc -fsyntax-only. */
#include <stdbool.h>
#include <stddef.h>

typedef unsigned int vm_fault_t;
typedef long long loff_t;
typedef unsigned long pgoff_t;
typedef long ssize_t;

#define VM_FAULT_OOM		0x0001u
#define VM_FAULT_SIGBUS		0x0002u
#define VM_FAULT_NOPAGE		0x0100u
#define VM_FAULT_LOCKED		0x0200u
#define VM_FAULT_RETRY		0x0400u
#define VM_FAULT_ERROR		0x0003u
#define VM_FAULT_MAJOR		0x0004u
#define FAULT_FLAG_WRITE	0x01u
#define FAULT_FLAG_MKWRITE	0x02u
#define PAGE_SHIFT		12
#define PAGE_SIZE		(1ul << PAGE_SHIFT)
#define EINTR			4
#define EFAULT			14
#define EDQUOT			122
#define EAGAIN			11
#define ENOMEM			12
#define EIO			5
#define ENOSPC			28
#define unlikely(x)		(x)

struct super_block { int s_flags; };
struct rw_semaphore { int count; };
struct mutex { int count; };
struct inode { struct super_block *i_sb; struct address_space *i_mapping; loff_t i_size; void *i_private; struct rw_semaphore i_rwsem; };
struct address_space { struct inode *host; struct rw_semaphore invalidate_lock; };
struct foo_inode { struct mutex lock; };
struct folio { struct address_space *mapping; pgoff_t index; };
struct page { struct address_space *mapping; pgoff_t index; };
struct file { struct address_space *f_mapping; void *private_data; };
struct vm_fault;
struct vm_operations_struct {
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
};
struct vm_area_struct { struct file *vm_file; const struct vm_operations_struct *vm_ops; void *vm_private_data; };
struct vm_fault { struct vm_area_struct *vma; unsigned int flags; pgoff_t pgoff; struct page *page; size_t prepared; };
struct get { int dummy; };

struct folio *page_folio(struct page *page);
struct inode *file_inode(struct file *file);
void folio_lock(struct folio *folio);
int folio_lock_killable(struct folio *folio);
void folio_unlock(struct folio *folio);
void lock_page(struct page *page);
void unlock_page(struct page *page);
bool folio_mark_dirty(struct folio *folio);
bool filemap_dirty_folio(struct address_space *mapping, struct folio *folio);
void set_page_dirty(struct page *page);
void set_page_dirty_lock(struct page *page);
bool trylock_page(struct page *page);
void folio_wait_stable(struct folio *folio);
void wait_for_stable_page(struct page *page);
bool folio_test_uptodate(struct folio *folio);
bool folio_test_dirty(struct folio *folio);
bool folio_test_locked(struct folio *folio);
unsigned long folio_page_idx(struct folio *folio, struct page *page);
void folio_attach_private(struct folio *folio, void *data);
loff_t folio_pos(struct folio *folio);
loff_t page_offset(struct page *page);
size_t folio_size(struct folio *folio);
long filemap_mkwrite_lock(struct vm_fault *vmf);
long folio_mkwrite_check_truncate(struct folio *folio, struct inode *inode);
loff_t i_size_read(struct inode *inode);
void sb_start_pagefault(struct super_block *sb);
void sb_end_pagefault(struct super_block *sb);
int file_update_time(struct file *file);
vm_fault_t vmf_error(int err);
vm_fault_t vmf_fs_error(int err);
vm_fault_t filemap_fault(struct vm_fault *vmf);
vm_fault_t filemap_page_mkwrite(struct vm_fault *vmf);
int block_page_mkwrite(struct vm_area_struct *vma, struct vm_fault *vmf, struct get *get);
void *foo_journal_start(struct inode *inode);
void foo_journal_stop(void *handle);
int foo_reserve_space(struct inode *inode, size_t len);
int foo_prepare(struct inode *inode, struct folio *folio);
int filemap_fdatawrite_range(struct address_space *mapping, loff_t start, loff_t end);
void inode_lock(struct inode *inode);
void inode_unlock(struct inode *inode);
long pin_user_pages_fast(unsigned long start, int nr, unsigned int flags, struct page **pages);
void unpin_user_page(struct page *page);
void set_pte_at(void *mm, unsigned long addr, void *pte, unsigned long val);
void wp_page_reuse(struct vm_fault *vmf, struct folio *folio);
void __folio_lock(struct folio *folio);
bool folio_trylock(struct folio *folio);
struct page *folio_page(struct folio *folio, size_t n);
bool folio_clear_dirty_for_io(struct folio *folio);
void ClearPageDirty(struct page *page);
void mapping_set_error(struct address_space *mapping, int error);
void filemap_invalidate_lock_shared(struct address_space *mapping);
void filemap_invalidate_unlock_shared(struct address_space *mapping);
void down_read(struct rw_semaphore *sem);
int down_write_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void mutex_lock(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
int inode_trylock(struct inode *inode);
int inode_trylock_shared(struct inode *inode);
void inode_unlock_shared(struct inode *inode);
size_t i_blocksize(struct inode *inode);
vm_fault_t block_page_mkwrite_return(int err);
vm_fault_t do_page_mkwrite(struct vm_fault *vmf, struct folio *folio);
void *jbd2_journal_start(struct inode *inode, int blocks);
void kfree(void *p);
vm_fault_t foo_fault(struct vm_fault *vmf);
void *foo_alloc(struct inode *inode);
void foo_count(struct foo_inode *fi);
void foo_map_range(struct vm_fault *vmf, pgoff_t first, pgoff_t last);
int foo_prepare_range(struct inode *inode, loff_t pos, size_t len);
int foo_writepage(struct folio *folio);
int foo_reserve(struct inode *inode, loff_t pos, size_t len);
int foo_reserve_page(struct inode *inode, pgoff_t index);
int foo_has_block(struct inode *inode, pgoff_t index);
int foo_mark_delayed(struct inode *inode, pgoff_t index);
int foo_begin(struct folio *folio, loff_t pos, size_t len);
void foo_commit(struct folio *folio, size_t off, size_t len);
void foo_make_dirty(struct folio *folio);
void foo_trim(struct inode *inode);
void trace_foo_mkwrite(struct inode *inode, loff_t size);
long folio_nr_pages(struct folio *folio);
void *ERR_PTR(long err);
int PTR_ERR_OR_ZERO(const void *p);
bool IS_ERR_VALUE(unsigned long x);
bool IS_ERR(const void *p);
long PTR_ERR(const void *p);
int foo_map_block(struct inode *inode, pgoff_t block);
int foo_map_part(struct inode *inode, struct folio *folio, long len, long *done);
struct address_space *folio_mapping(struct folio *folio);
#define WARN_ON_ONCE(x)		({ !!(x); })
#define IS_IMMUTABLE(inode)	((inode)->i_sb->s_flags & 8)
#define round_up(x, y)		(((x) + (y) - 1) / (y) * (y))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))

/* cleanup.h, as far as the syntax goes */
#define DEFINE_GUARD(name, type, lock, unlock)						\
	static inline void guard_##name(type _T) { lock; }				\
	static inline void unguard_##name(type _T) { unlock; }
#define DEFINE_LOCK_GUARD_1(name, type, lock_it, unlock_it)				\
	struct lock_##name { type *lock; };						\
	static inline void guard_##name(type *lock)					\
	{ struct lock_##name l = { lock }, *_T = &l; lock_it; }			\
	static inline void unguard_##name(type *lock)					\
	{ struct lock_##name l = { lock }, *_T = &l; unlock_it; }
#define DEFINE_CLASS(name, type, exit, init, init_args...)				\
	static inline type class_##name(init_args) { return init; }
#define CLASS(name, var)	__typeof__(class_##name(0)) var = class_##name
#define DEFINE_FREE(name, type, free)							\
	static inline void free_##name(void *p) { type _T = *(type *)p; free; }
#define guard(name)			guard_##name
#define scoped_guard(name, args...)	for (int once = (guard_##name(args), 1); once; once = 0)
#define scoped_cond_guard(name, fail, args...) if (!cond_guard_##name(args)) { fail; } else
#define __free(name)			__attribute__((cleanup(free_##name)))
#define ACQUIRE(name, var)		int var = acquire_##name
#define ACQUIRE_ERR(name, var)		(*(var))
#define retain_and_null_ptr(p)		((p) = NULL)
int acquire_mutex_intr(struct mutex *lock);
#define no_free_ptr(p)		({ __typeof__(p) _p = (p); (p) = NULL; _p; })
#define return_ptr(p)		return no_free_ptr(p)
#define BIT(n)			(1ul << (n))
bool IS_ERR_OR_NULL(const void *p);
bool test_bit(long nr, const unsigned long *addr);
void __set_bit(long nr, unsigned long *addr);
void __clear_bit(long nr, unsigned long *addr);
bool foo_write_enter(struct super_block *sb);
void foo_write_exit(struct super_block *sb);
int foo_still_ours(struct folio *folio, struct inode *inode);
void guard_mutex(struct mutex *lock);
void guard_rwsem_read(struct rw_semaphore *sem);
int cond_guard_rwsem_write_try(struct rw_semaphore *sem);
void guard_inode_lock(struct inode *inode);
void guard_foo_super(struct super_block *sb);
void guard_foo_dirty_window(struct foo_inode *fi);
DEFINE_FREE(kfree, void *, if (_T) kfree(_T))
