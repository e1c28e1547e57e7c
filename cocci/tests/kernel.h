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
#define EFAULT			14
#define EAGAIN			11
#define ENOMEM			12
#define EIO			5
#define ENOSPC			28
#define unlikely(x)		(x)

struct super_block { int s_flags; };
struct inode { struct super_block *i_sb; struct address_space *i_mapping; loff_t i_size; };
struct address_space { struct inode *host; };
struct folio { struct address_space *mapping; pgoff_t index; };
struct page { struct address_space *mapping; pgoff_t index; };
struct file { struct address_space *f_mapping; void *private_data; };
struct vm_fault;
struct vm_operations_struct {
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
};
struct vm_area_struct { struct file *vm_file; const struct vm_operations_struct *vm_ops; void *vm_private_data; };
struct vm_fault { struct vm_area_struct *vma; unsigned int flags; pgoff_t pgoff; struct page *page; };
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
void wp_page_reuse(struct vm_fault *vmf, struct folio *folio);
