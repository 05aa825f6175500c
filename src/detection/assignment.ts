/**
 * Which rows belong to which columns at the least total cost: the linear assignment problem, solved by shortest
 * augmenting paths (Jonker and Volgenant, 1987, without its initialisation), O(rows² × columns). Small on purpose:
 * a picture holds tens of objects.
 */

/** Cost of a pair that must not be. */
export const FORBIDDEN = 1e9;

/**
 * Pairs rows and columns one to one. As many pairs as the allowed costs permit, and of those the cheapest set.
 * @param costs row by row; finite, or FORBIDDEN.
 * @returns the column of each row, -1 where it has none.
 */
export function assign(costs: ArrayLike<number>, rows: number, columns: number): Int32Array {
  if (rows > columns) return inverted(assign(transposed(costs, rows, columns), columns, rows), rows);
  // Index 0 stands for "no column" and "no row": rows and columns are counted from 1 inside.
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  const previous = new Int32Array(columns + 1);
  const distance = new Float64Array(columns + 1);
  const isVisited = new Uint8Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    rowOf[0] = row;
    distance.fill(Infinity);
    isVisited.fill(0);
    let column = 0;
    do {
      isVisited[column] = 1;
      const from = rowOf[column] as number;
      let nearest = 0;
      let delta = Infinity;
      for (let next = 1; next <= columns; next++) {
        if (isVisited[next]) continue;
        const reduced =
          (costs[(from - 1) * columns + next - 1] as number) - (rowPotential[from] as number) - (columnPotential[next] as number);
        if (reduced < (distance[next] as number)) {
          distance[next] = reduced;
          previous[next] = column;
        }
        if ((distance[next] as number) < delta) {
          delta = distance[next] as number;
          nearest = next;
        }
      }
      for (let each = 0; each <= columns; each++) {
        if (isVisited[each]) {
          const visited = rowOf[each] as number;
          rowPotential[visited] = (rowPotential[visited] as number) + delta;
          columnPotential[each] = (columnPotential[each] as number) - delta;
        } else distance[each] = (distance[each] as number) - delta;
      }
      column = nearest;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const before = previous[column] as number;
      rowOf[column] = rowOf[before] as number;
      column = before;
    }
  }
  const columnOf = new Int32Array(rows).fill(-1);
  for (let column = 1; column <= columns; column++) {
    const row = (rowOf[column] as number) - 1;
    if (row >= 0 && (costs[row * columns + column - 1] as number) < FORBIDDEN) columnOf[row] = column - 1;
  }
  return columnOf;
}

function transposed(costs: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const turned = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = costs[row * columns + column] as number;
  }
  return turned;
}

/** From "row of each column" to "column of each row". */
function inverted(rowOf: Int32Array, rows: number): Int32Array {
  const columnOf = new Int32Array(rows).fill(-1);
  rowOf.forEach((row, column) => {
    if (row >= 0) columnOf[row] = column;
  });
  return columnOf;
}
