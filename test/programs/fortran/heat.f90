! By hand: grid and table of the module, 1000 elements of 8 bytes each, are written once and read twice; row (500),
! edge (250) and the common block's 100 elements are written and read once.
program heat
  use fields
  implicit none
  real(8), allocatable :: row(:)
  real(8), pointer :: edge(:)
  real(8) :: total, corner(100)
  integer :: i
  common /corners/ corner

  allocate(grid(n))
  allocate(row(n / 2), &
           edge(n / 4))
  call fill()
  do i = 1, n / 2
    row(i) = grid(i) + grid(i + n / 2)
  end do
  edge = 1
  corner = 3
  total = 0
  do i = 1, n
    total = total + grid(i)
  end do
  do i = 1, n
    total = total + table(i)
  end do
  do i = 1, n
    total = total + table(i)
  end do
  call add(row, n / 2, total)
  call add(edge, n / 4, total)
  call add(corner, 100, total)
  print '(f12.1)', total
  deallocate(row, edge, grid)
end program

! An external procedure, which gfortran calls add_.
subroutine add(values, count, total)
  implicit none
  integer, intent(in) :: count
  real(8), intent(in) :: values(count)
  real(8), intent(inout) :: total
  real(8) :: sum
  integer :: i
  sum = 0
  do i = 1, count
    sum = sum + values(i)
  end do
  total = total + sum
end subroutine
